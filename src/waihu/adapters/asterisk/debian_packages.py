"""Debian packages without a Debian host: finds the machine's apt mirror, downloads packages of another suite and
unpacks them into a directory. apt does the work inside a private root, so any user may call this and the host's
package state is neither read nor changed.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)

# What may follow the stem in the name of a Debian library package: a soname version (libxml2-16), zlib's "1g",
# and the mark of the 64-bit time transition (libssl3t64).
_SONAME_SUFFIX = r"[-.\d]*g?(t64)?"

_UPDATE_TIMEOUT_S = 180
_DOWNLOAD_TIMEOUT_S = 900


class PackagesUnavailable(Exception):
    """The packages cannot be had here; the message says which step failed and what can be done."""


class PrivateApt:
    """apt with all its state below `directory`, reading one suite of the machine's own Debian mirror.

    The host's apt.conf.d still applies, because that is where proxies and mirror credentials are written.
    """

    def __init__(self, directory: Path, suite: str) -> None:
        self._directory = directory
        self._suite = suite
        self._configuration = directory / "apt.conf"
        self._sources = directory / "sources.list"

    def refresh(self) -> None:
        """Fetches the suite's package index, its signature verified by apt against Debian's archive keyring.

        Raises PackagesUnavailable when no mirror of this machine carries the suite.
        """
        self._lay_out()
        mirrors = _debian_mirrors()
        failures: list[str] = []
        for mirror in mirrors:
            self._sources.write_text(f"deb [signed-by={_keyring()}] {mirror} {self._suite} main\n")
            try:
                self._apt("apt-get", "update", "--quiet", timeout_s=_UPDATE_TIMEOUT_S)
            except PackagesUnavailable as failure:
                failures.append(str(failure))
            else:
                return
        raise PackagesUnavailable(
            f"No apt mirror of this machine carries Debian {self._suite}:\n" + "\n".join(failures)
        )

    def candidate_version(self, package: str) -> str:
        """The version apt would take, for example `1:22.10.1+dfsg-1`."""
        policy = self._apt("apt-cache", "policy", package)
        found = re.search(r"Candidate: (\S+)", policy)
        if found is None or found[1] == "(none)":
            raise PackagesUnavailable(f"Debian {self._suite} has no package {package}.")
        return found[1]

    def resolve(self, root_package: str, stems: Sequence[str]) -> list[str]:
        """Names of the packages among all that `root_package` needs whose name is a stem plus a soname version.

        Sonames change while a suite moves, so `libxml2` finds libxml2-16 today and its successor later.
        Raises PackagesUnavailable naming every stem that finds nothing.
        """
        closure = self._apt(
            *("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests"),
            *("--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", root_package),
        )
        # Packages stand at the start of a line; their relations are indented and virtual names are in <>.
        names = [line for line in closure.splitlines() if re.match(r"[a-z0-9]", line)]
        found = {stem: [name for name in names if is_version_of(stem, name)] for stem in stems}
        if missing := [stem for stem, matches in found.items() if not matches]:
            raise PackagesUnavailable(
                f"{root_package} of Debian {self._suite} no longer depends on {', '.join(missing)}: "
                "the packages were renamed, and waihu's list of them needs an update."
            )
        return sorted({name for matches in found.values() for name in matches})

    def download_size_bytes(self, packages: Sequence[str]) -> int:
        """What `download` would fetch."""
        uris = self._apt("apt-get", "download", "--print-uris", *packages)
        return sum(int(line.split()[2]) for line in uris.splitlines() if line.startswith("'"))

    def download(self, packages: Sequence[str], directory: Path) -> list[Path]:
        """Fetches the packages into `directory`; apt checks every file against the signed index."""
        directory.mkdir(parents=True, exist_ok=True)
        self._apt(*("apt-get", "download", "--quiet", *packages), timeout_s=_DOWNLOAD_TIMEOUT_S, directory=directory)
        return sorted(directory.glob("*.deb"))

    def _lay_out(self) -> None:
        for name in ("lists/partial", "cache/archives/partial", "empty"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        (self._directory / "status").touch()
        empty = self._directory / "empty"
        self._configuration.write_text(
            f'Dir::State "{self._directory}";\n'
            f'Dir::State::status "{self._directory}/status";\n'
            f'Dir::State::lists "{self._directory}/lists";\n'
            f'Dir::Cache "{self._directory}/cache";\n'
            f'Dir::Etc::sourcelist "{self._sources}";\n'
            f'Dir::Etc::sourceparts "{empty}";\n'
            f'Dir::Etc::preferences "{empty}/preferences";\n'
            f'Dir::Etc::preferencesparts "{empty}";\n'
            # The sandbox account of root's apt cannot write here, and an ordinary user has none.
            'APT::Sandbox::User "";\n'
            # Without it apt reports an unreachable mirror as a warning and success.
            'APT::Update::Error-Mode "any";\n'
            # Mirrors may lag behind the suite's Valid-Until by weeks. The signature is still checked; what is
            # given up is only the promise that the index is recent, which a cached prefix never keeps anyway.
            'Acquire::Check-Valid-Until "false";\n'
            'Acquire::Check-Date "false";\n'
            'Acquire::Languages "none";\n'
            # Clean-up hooks of container images would touch the host's cache, or fail for an ordinary user.
            "#clear APT::Update::Post-Invoke;\n"
            "#clear APT::Update::Post-Invoke-Success;\n"
        )

    def _apt(self, tool: str, *arguments: str, timeout_s: float = 60, directory: Path | None = None) -> str:
        return _run(tool, "-c", str(self._configuration), *arguments, timeout_s=timeout_s, directory=directory)


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpacks .deb files below `root`; no maintainer script runs."""
    root.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        _run("dpkg-deb", "--extract", str(archive), str(root), timeout_s=120)


def _debian_mirrors() -> list[str]:
    """Base addresses from which this machine takes Debian itself, in the order of its sources.

    Asked of `apt-get update --print-uris`, which answers any user, also before the first `apt-get update`.
    """
    printed = _run("apt-get", "--print-uris", "update", timeout_s=60)
    found = re.findall(r"^'(\S+?)/dists/([^/']+)/\S*InRelease'", printed, flags=re.MULTILINE)
    # The security archive is signed by Debian as well, but it holds no complete suites.
    mirrors = dict.fromkeys(f"{base}/" for base, suite in found if not suite.endswith("-security"))
    if not mirrors:
        raise PackagesUnavailable("apt on this machine has no package source to take Debian packages from.")
    return list(mirrors)


def _keyring() -> Path:
    for keyring in _KEYRINGS:
        if keyring.exists():
            return keyring
    raise PackagesUnavailable(
        "Debian's archive keyring is missing, so nothing downloaded could be verified. "
        "The package debian-archive-keyring brings it."
    )


def is_version_of(stem: str, name: str) -> bool:
    return re.fullmatch(re.escape(stem) + _SONAME_SUFFIX, name) is not None


def _run(tool: str, *arguments: str, timeout_s: float, directory: Path | None = None) -> str:
    try:
        done = subprocess.run(
            [tool, *arguments],
            cwd=directory,
            # What apt prints is read here, so it must not be translated.
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise PackagesUnavailable(f"This machine has no {tool}: it is not a Debian family system.") from None
    except subprocess.TimeoutExpired:
        raise PackagesUnavailable(f"{tool} gave no answer within {timeout_s:.0f} s.") from None
    if done.returncode != 0:
        raise PackagesUnavailable(f"{tool} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
