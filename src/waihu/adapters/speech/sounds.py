"""Spoken lines as WAV files: each distinct line is synthesised once and kept, so a repeated line costs nothing."""

import asyncio
import hashlib
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from waihu.adapters.speech.espeak import synthesize

RATE_HZ = 8000
_ENGINE = "espeak-ng-1.52"


class SoundStore:
    """Files `DIRECTORY/ab/abcdef….wav`, 8 kHz, 16 bit, mono, named after engine, voice and text."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # The synthesiser is one per process; a second thread would only wait for it.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="speech")
        self._under_way: dict[Path, asyncio.Future[None]] = {}

    async def line(self, text: str, voice: str) -> Path:
        """The file in which `voice` says `text`. Raises SpeechFailed, OSError (disk full)."""
        name = hashlib.sha1(f"{_ENGINE}|{voice}|{RATE_HZ}|{text}".encode(), usedforsecurity=False).hexdigest()
        path = self._directory / name[:2] / f"{name}.wav"
        if path.exists():
            return path
        running = self._under_way.get(path)
        if running is None:
            loop = asyncio.get_running_loop()
            running = self._under_way[path] = loop.run_in_executor(self._worker, _write_line, path, text, voice)
            running.add_done_callback(lambda _: self._under_way.pop(path, None))
        # Several calls may wait for one line; one that is hung up must not take it from the others.
        await asyncio.shield(running)
        return path


def _write_line(path: Path, text: str, voice: str) -> None:
    samples = synthesize(text, voice, RATE_HZ)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with wave.open(str(unfinished), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples)
    unfinished.rename(path)
