"""Secrets that live in a file of their own, made by whichever process needs one first."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp


def kept_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds. Where there is none it is made, for the owner's eyes only. Raises OSError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # Written aside and linked, so that of several processes one wins and all read a whole secret.
        aside, name = mkstemp(dir=path.parent, prefix=f"{path.name}.")
        try:
            with os.fdopen(aside, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(aside)
            with suppress(FileExistsError):
                os.link(name, path)
        finally:
            Path(name).unlink()
        return path.read_bytes()
