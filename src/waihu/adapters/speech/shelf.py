"""Sounds that clients bring along, in a directory. Implements `ports.sounds.SoundShelf`."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from waihu.adapters.speech import telephony_wav
from waihu.ports.sounds import KeptSound, SoundUnusable

_CONVERTED_WITHIN_S = 120


class DirectoryShelf:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, source: bytes) -> KeptSound:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = f"{uuid4().hex}.wav"
        # A process of its own: minutes of sound take seconds of work, and requests would wait for each of them.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", telephony_wav.__name__, str(self._directory / file)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_CONVERTED_WITHIN_S):
                said, complained = await process.communicate(source)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode == telephony_wav.UNUSABLE:
            raise SoundUnusable(complained.decode().strip())
        if process.returncode != 0:
            raise RuntimeError(f"a sound could not be converted: {complained.decode()[-500:]}")
        return KeptSound(file, int(said))

    def path(self, file: str) -> Path | None:
        path = self._directory / Path(file).name
        return path if file and path.is_file() else None

    def remove(self, file: str) -> None:
        if (path := self.path(file)) is not None:
            path.unlink(missing_ok=True)
