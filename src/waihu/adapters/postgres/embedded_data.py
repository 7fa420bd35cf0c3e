"""The data directory of the embedded PostgreSQL: what lies where, made once and then kept ready for `embedded.py`.

path/cluster           PostgreSQL's files
     log/              what it says while it runs
     start.log         what it said before it opened its log
     postgresql.conf   our settings, rewritten at every start like pg_hba.conf, which says who may connect
     own.conf          the operator's settings, which win over ours (optional)
     secret, port      the password, and where it listens: chosen once
     lock              held while a process of ours supervises the directory
     binaries/         a copy of the programs, where the server's user cannot reach the original
"""

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from waihu.adapters.postgres.embedded_failure import PostgresNotStarted, explain
from waihu.adapters.postgres.embedded_runner import BIN_VARIABLE, Runner

NAME = "waihu"
"""Both the role and its database."""

_LOGS_KEPT = 10

_SETTINGS = """\
# Written by waihu at every start. Put your own settings into own.conf beside this file: they win.
max_connections = 200
shared_buffers = '256MB'
maintenance_work_mem = '128MB'
random_page_cost = 1.1
synchronous_commit = on
idle_in_transaction_session_timeout = '30s'
# The dialling queue lives from dead rows going away soon.
autovacuum_naptime = '15s'
jit = off
# Parallel queries take the processor from running calls, and more shared memory than a container has.
max_parallel_workers_per_gather = 0
timezone = 'UTC'
lc_messages = 'C'

logging_collector = on
log_filename = 'postgresql-%Y%m%d-%H%M%S.log'
log_rotation_size = '10MB'
log_rotation_age = 0
log_timezone = 'UTC'
log_min_duration_statement = '1s'
# Details and parameters would carry phone numbers into the log.
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""

_WHO_MAY_CONNECT = """\
# Written by waihu at every start.
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Names of things below `path`, which is absolute and free of links."""

    path: Path

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def log_directory(self) -> Path:
        return self.path / "log"

    @property
    def start_log(self) -> Path:
        return self.path / "start.log"

    def logs(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.log_directory.glob("postgresql-*.log"))


def prepare(data: DataDirectory, runner: Runner) -> str:
    """Makes everything ready for a start and creates the cluster if there is none; returns the password of role NAME.

    Raises PostgresNotStarted when the data belongs to another major version or user, or lost its password.
    """
    password = _password(data)
    if not data.cluster.exists():
        _create_cluster(data, runner, password)
    _check_major(data, runner)
    data.log_directory.mkdir(mode=0o700, exist_ok=True)
    for directory in (data.cluster, data.log_directory):
        _give(directory, runner)
    for old in data.logs()[:-_LOGS_KEPT]:
        old.unlink()
    own = "include = 'own.conf'\n" if (data.path / "own.conf").exists() else ""
    write(data.path / "postgresql.conf", _SETTINGS + own, mode=0o644)
    write(data.path / "pg_hba.conf", _WHO_MAY_CONNECT, mode=0o644)
    return password


def write(path: Path, text: str, *, mode: int) -> None:
    """Replaces `path` as a whole, so that a crash leaves the old text or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    fresh.replace(path)


def _password(data: DataDirectory) -> str:
    secret = data.path / "secret"
    if not secret.exists():
        if data.cluster.exists():
            raise PostgresNotStarted(
                f"the password of the data in {data.cluster} is lost.",
                f"Restore {secret} from the backup of the data directory.",
            )
        write(secret, secrets.token_urlsafe(32), mode=0o600)
    return secret.read_text().strip()


def _create_cluster(data: DataDirectory, runner: Runner, password: str) -> None:
    """Works under another name until all is done: what is called `cluster` is complete."""
    fresh = data.path / "cluster.incomplete"
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    _give(fresh, runner)
    initdb = (
        runner.program("initdb"),
        "-D",
        str(fresh),
        "--username=postgres",
        "--no-instructions",
        "--data-checksums",
    )
    # C.UTF-8 sorts by code point on every machine. Nobody may connect, should somebody start it without our settings.
    _run(data, runner, *initdb, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=reject")
    single_user = (runner.program("postgres"), "--single", "-D", str(fresh))
    # Our role is no superuser, as on any managed server: a hole in our SQL does not become a shell.
    roles = (
        f"create role {NAME} login createdb in role pg_monitor password '{password}'\n"
        f"create database {NAME} owner {NAME}\n"
    )
    careful = ("-c", "exit_on_error=on", "-c", "log_min_error_statement=panic")
    _run(data, runner, *single_user, *careful, "postgres", text=roles)
    fresh.rename(data.cluster)


def _run(data: DataDirectory, runner: Runner, *command: str, text: str = "") -> None:
    code, said = runner.run(*command, text=text)
    if code != 0:
        raise explain(said, data.path)


def _check_major(data: DataDirectory, runner: Runner) -> None:
    written_by = (data.cluster / "PG_VERSION").read_text().strip()
    if written_by != runner.major:
        raise PostgresNotStarted(
            f"the data in {data.cluster} is of PostgreSQL {written_by}, the programs are of {runner.version}.",
            f"Let {BIN_VARIABLE} name the programs of PostgreSQL {written_by}; to change over, dump the database with"
            " them and load it into an empty data directory.",
        )


def _give(directory: Path, runner: Runner) -> None:
    """Makes the server's user own `directory` and all in it, if that is not so yet."""
    owner = directory.stat().st_uid
    if owner == runner.uid:
        return
    if os.geteuid() != 0:
        raise PostgresNotStarted(
            f"{directory} belongs to user {owner}.", "Run waihu as the user who ran it first, or as root."
        )
    # Links are changed, not followed: their owner must not choose what root gives away.
    for _, directories, files, parent in os.fwalk(directory, topdown=False):
        for name in (*directories, *files):
            os.chown(name, runner.uid, runner.gid, dir_fd=parent, follow_symlinks=False)
    # The top comes last: a change that was interrupted is taken up at the next start.
    os.chown(directory, runner.uid, runner.gid)
