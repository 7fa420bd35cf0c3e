"""Where Asterisk comes from: an unpacked prefix below the user's cache, fetched once from Debian through the
machine's own apt mirror. Nothing is installed, and any user may do it. `instance.py` runs what is here.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from waihu.adapters.asterisk.debian_packages import PackagesUnavailable, PrivateApt, unpack
from waihu.adapters.asterisk.modules import CARRIER_BOX_MODULES, SWITCH_MODULES

PREFIX_VARIABLE = "WAIHU_ASTERISK_PREFIX"
"""Names a prefix to use instead of the cached one; `/` is an Asterisk installed on this machine."""

# Stable Debian has no Asterisk; the suite being prepared has the current long-term release.
_SUITE = "forky"
_TESTED_MAJOR_VERSION = 22
_PACKAGES = ("asterisk", "asterisk-modules")
# The libraries that the modules of `modules.py` map, out of the 160 packages that all modules would need.
_LIBRARY_STEMS = (
    *("libbsd", "libc", "libcap", "libcrypt", "libedit", "libgcc-s", "libjansson", "libmd", "libsqlite3"),
    *("libsrtp2", "libssl", "libstdc++", "libsystemd", "libtinfo", "liburiparser", "libuuid", "libxml2"),
    *("libxslt", "libzstd", "zlib"),
)

Say = Callable[[str], None]


class AsteriskUnavailable(Exception):
    """There is no Asterisk to run; the message says why and what can be done."""


@dataclass(frozen=True, slots=True)
class AsteriskPrefix:
    """A directory tree holding Asterisk and the libraries it was built for; `/` when installed on the machine."""

    root: Path

    @property
    def data_directory(self) -> Path:
        return self.root / "usr/share/asterisk"

    @property
    def modules_directory(self) -> Path:
        return _only(self.root.glob("usr/lib/*-linux-gnu/asterisk/modules"), f"directory of modules below {self.root}")

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs this Asterisk.

        Its own dynamic loader is started, told where the libraries are: unlike LD_LIBRARY_PATH this does not
        leak into programs that Asterisk starts, which belong to the host.
        """
        program = str(self.root / "usr/sbin/asterisk")
        if self.root == Path("/"):
            return [program, *arguments]
        return [*self._loader, "--argv0", "asterisk", program, *arguments]

    def version(self) -> str:
        """For example `22.10.1`. Raises AsteriskUnavailable when the program does not run."""
        try:
            done = subprocess.run(self.command("-V"), capture_output=True, text=True, timeout=30, check=True)
        except (OSError, subprocess.SubprocessError) as failure:
            raise AsteriskUnavailable(f"The Asterisk below {self.root} does not run: {failure}") from failure
        return re.sub(r"^Asterisk (\d+[.\d]*).*", r"\1", done.stdout.strip())

    def missing_libraries(self) -> list[str]:
        """Names of libraries that the program or a module of ours asks for and this prefix does not have."""
        modules = {*SWITCH_MODULES, *CARRIER_BOX_MODULES}
        programs = [
            self.root / "usr/sbin/asterisk",
            *(self.modules_directory / f"{module}.so" for module in sorted(modules)),
        ]
        missing = {str(program) for program in programs if not program.exists()}
        for program in programs:
            listed = subprocess.run(
                [*self._loader, "--list", str(program)], capture_output=True, text=True, timeout=30, check=False
            )
            missing.update(re.findall(r"^\s*(\S+) => not found", listed.stdout, flags=re.MULTILINE))
        return sorted(missing)

    @property
    def _loader(self) -> list[str]:
        loader = _only(self.root.glob("usr/lib*/ld-linux*.so.*"), f"dynamic loader below {self.root}")
        return [str(loader), "--library-path", str(self.modules_directory.parent.parent)]


def obtain_asterisk(say: Say) -> AsteriskPrefix:
    """The Asterisk to run: the one named by WAIHU_ASTERISK_PREFIX, or the cached one, fetched now if need be.

    Blocks for some ten seconds the first time; `say` is told what is going on. An Asterisk installed on the
    machine is used only when asked for: its version and modules are somebody else's decision.
    Raises AsteriskUnavailable.
    """
    if chosen := os.environ.get(PREFIX_VARIABLE):
        prefix = AsteriskPrefix(Path(chosen).absolute())
        if not (prefix.root / "usr/sbin/asterisk").exists():
            raise AsteriskUnavailable(f"{PREFIX_VARIABLE}={chosen} holds no usr/sbin/asterisk.")
        return prefix

    cache = _cache_directory()
    # Another list of packages is another prefix, so a new waihu never runs on what an old one left.
    key = hashlib.sha256(" ".join((*_PACKAGES, *_LIBRARY_STEMS)).encode()).hexdigest()[:8]
    ready = cache / f"{_TESTED_MAJOR_VERSION}-{key}"
    if ready.exists():
        return AsteriskPrefix(ready)

    with _alone(cache, say):
        if not ready.exists():
            _fetch(ready, say)
    return AsteriskPrefix(ready)


def _fetch(ready: Path, say: Say) -> None:
    """Builds the prefix beside `ready` and renames it there: what is at `ready` is always complete."""
    with tempfile.TemporaryDirectory(dir=ready.parent, prefix="partial-") as scratch_name:
        scratch = Path(scratch_name)
        unpacked = scratch / "prefix"
        try:
            apt = PrivateApt(scratch / "apt", _SUITE)
            say(f"Fetching Asterisk from Debian {_SUITE}: reading the package index")
            apt.refresh()
            version = apt.candidate_version("asterisk")
            packages = [*_PACKAGES, *apt.resolve("asterisk", _LIBRARY_STEMS)]
            size_mb = apt.download_size_bytes(packages) / 1e6
            say(f"Downloading Asterisk {version}: {len(packages)} packages, {size_mb:.0f} MB")
            archives = apt.download(packages, scratch / "archives")
            say("Unpacking Asterisk")
            unpack(archives, unpacked)
        except PackagesUnavailable as failure:
            raise AsteriskUnavailable(
                f"Asterisk could not be fetched. {failure}\n"
                f"Alternatives: set {PREFIX_VARIABLE} to an unpacked or installed Asterisk {_TESTED_MAJOR_VERSION}, "
                "or run the container of deploy/asterisk."
            ) from failure
        _check(AsteriskPrefix(unpacked), say)
        unpacked.rename(ready)
    say(f"Asterisk is ready in {ready}")


def _check(prefix: AsteriskPrefix, say: Say) -> None:
    if missing := prefix.missing_libraries():
        raise AsteriskUnavailable(
            f"Asterisk of Debian {_SUITE} needs {', '.join(missing)}, which no package on waihu's list brings: "
            "the list needs an update."
        )
    version = prefix.version()
    if not version.startswith(f"{_TESTED_MAJOR_VERSION}."):
        say(f"This is Asterisk {version}; waihu is tested with {_TESTED_MAJOR_VERSION}")


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(base) / "waihu/asterisk"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise AsteriskUnavailable(
            f"The cache directory {cache} cannot be made ({failure}); set XDG_CACHE_HOME to one that can."
        ) from failure
    return cache


@contextmanager
def _alone(cache: Path, say: Say) -> Iterator[None]:
    """Holds the cache's lock, and clears what a killed process left half-finished."""
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is fetching Asterisk: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in cache.glob("partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _only(found: Iterator[Path], what: str) -> Path:
    paths = sorted(found)
    if len(paths) != 1:
        raise AsteriskUnavailable(f"Expected one {what}, found {len(paths)}.")
    return paths[0]
