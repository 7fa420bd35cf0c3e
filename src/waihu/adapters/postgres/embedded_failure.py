"""Why the embedded PostgreSQL did not start, said so that an operator can act. Raised by `embedded.py`."""

from pathlib import Path

_TAIL_LINES = 20

# A piece of the server's words → what it means, what to do. The first match wins, so the narrow ones stand above:
# "No space left on device" also ends a refusal of shared memory, where free disk would not help.
_MEANINGS = (
    (
        "pre-existing shared memory block",
        "processes of an earlier server still work in {cluster}.",
        "Wait until their statement ends, or end the postgres processes whose working directory that is.",
    ),
    (
        "could not create shared memory segment",
        "the kernel gives no shared memory segment.",
        "Remove unused segments (`ipcs -m`, `ipcrm`), or raise kernel.shmmni.",
    ),
    (
        "Cannot allocate memory",
        "there is not enough memory.",
        "Free memory, or lower shared_buffers in {data_dir}/own.conf.",
    ),
    ("No space left on device", "the disk is full.", "Free space on the disk that holds {data_dir}."),
    ("Disk quota exceeded", "the disk quota is used up.", "Free space on the disk that holds {data_dir}."),
    (
        "Read-only file system",
        "{data_dir} cannot be written.",
        "Mount its disk writable, or choose another data directory.",
    ),
    (
        'lock file "postmaster.pid" already exists',
        "another server uses {cluster}.",
        "Stop that server first; its process id is the first line of {cluster}/postmaster.pid.",
    ),
    (
        "could not look up effective user ID",
        "the user who runs waihu is a number without a name.",
        "Add a line for it to /etc/passwd, or allow user namespaces.",
    ),
    (
        "Address already in use",
        "other programs keep taking its port.",
        "Write a free port number into {data_dir}/port.",
    ),
    (
        "contains errors",
        "a setting is wrong.",
        "Correct the setting named below in {data_dir}/own.conf.",
    ),
    (
        "incompatible with server",
        "the data in {cluster} was written by another PostgreSQL.",
        "Point WAIHU_POSTGRES_BIN at the programs of the version that wrote it.",
    ),
    (
        "checkpoint record",
        "the data in {cluster} is damaged.",
        "Keep a copy of {data_dir} and restore from a backup.",
    ),
    *(
        (
            refusal,
            "the operating system refuses access.",
            "Let the user who runs waihu own {data_dir} and reach it from above.",
        )
        for refusal in ("Permission denied", "Operation not permitted", "wrong ownership")
    ),
)


class PostgresNotStarted(Exception):
    """The embedded PostgreSQL does not run: `reason` is what was found, `fix` what the operator can do about it,
    `log_tail` the server's last lines (empty when it was never asked).
    """

    def __init__(self, reason: str, fix: str, log_tail: str = "") -> None:
        super().__init__(f"PostgreSQL did not start: {reason} {fix}" + (f"\n{log_tail}" if log_tail else ""))
        self.reason = reason
        self.fix = fix
        self.log_tail = log_tail


def explain(words: str, data_dir: Path) -> PostgresNotStarted:
    """The exception for what a server, one of its programs or the operating system said in `words`."""
    names = {"data_dir": data_dir, "cluster": data_dir / "cluster"}
    log_tail = "\n".join(words.strip().splitlines()[-_TAIL_LINES:])
    for piece, reason, fix in _MEANINGS:
        if piece in words:
            return PostgresNotStarted(reason.format(**names), fix.format(**names), log_tail)
    return PostgresNotStarted(
        "it ended for a reason not known to waihu.", f"Its words stand below and in {data_dir}/log.", log_tail
    )
