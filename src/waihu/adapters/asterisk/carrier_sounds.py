"""What is heard on calls to the carrier box: spoken once by espeak-ng, kept as WAV files."""

import math
import sys
import wave
from array import array
from pathlib import Path

from waihu.adapters.speech.espeak import ENGLISH, MANDARIN, synthesize

RATE_HZ = 8000

_SPEECH: dict[str, list[tuple[str, str]]] = {
    "hello": [("喂，你好，哪位？", MANDARIN)],
    "monologue": [("喂，你好，我现在正在开会，不方便说话，你有什么事情请直接发短信给我吧。", MANDARIN)],
    "powered-off": [
        ("您好，您拨打的电话已关机，请稍后再拨。", MANDARIN),
        ("Sorry, the subscriber you dialed is powered off.", ENGLISH),
    ],
    "empty-number": [
        ("您好，您拨打的号码是空号，请核对后再拨。", MANDARIN),
        ("Sorry, the number you dialed does not exist.", ENGLISH),
    ],
    "voicemail": [("您好，我现在不方便接听电话，请在滴声后留言。", MANDARIN)],
}


def make_sounds(directory: Path) -> None:
    """Writes the files that are missing, 8 kHz 16 bit mono."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, sentences in _SPEECH.items():
        if not (path := directory / f"{name}.wav").exists():
            write_wav(path, b"".join(synthesize(text, voice, RATE_HZ) for text, voice in sentences))
    if not (path := directory / "beep.wav").exists():
        write_wav(path, tone(frequency_hz=1000, length_s=0.4))


def tone(frequency_hz: float, length_s: float) -> bytes:
    """A sine of a quarter of full scale, as 16 bit PCM at RATE_HZ in native byte order."""
    step = 2 * math.pi * frequency_hz / RATE_HZ
    return array("h", (round(8192 * math.sin(step * n)) for n in range(int(length_s * RATE_HZ)))).tobytes()


def write_wav(path: Path, pcm: bytes) -> None:
    """Appears under its name only when it is complete. `pcm`: 16 bit mono at RATE_HZ in native byte order."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    partial = path.with_suffix(".partial")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    partial.rename(path)
