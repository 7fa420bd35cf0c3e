"""`python -m waihu.adapters.speech.telephony_wav TARGET < SOURCE`: any PCM WAV as 8 kHz, 16 bit, mono.

Prints the length in ms. Ends with `UNUSABLE`, and the reason on the error output, for what is no such file.
"""

import struct
import sys
import wave
from array import array
from pathlib import Path

from waihu.adapters.speech.resample import resample
from waihu.ports.sounds import SoundUnusable

RATE_HZ = 8000
DURATION_MAX_S = 600
UNUSABLE = 2

_RATES_HZ = range(4_000, 192_001)
_CHANNELS_MAX = 8
_PCM, _EXTENSIBLE = 1, 0xFFFE


def main() -> int:
    target = Path(sys.argv[1])
    try:
        samples = telephony_samples(sys.stdin.buffer.read())
    except SoundUnusable as problem:
        sys.stderr.write(str(problem))
        return UNUSABLE
    unfinished = target.with_suffix(".part")
    with wave.open(str(unfinished), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.tobytes())
    unfinished.rename(target)
    sys.stdout.write(str(len(samples) * 1000 // RATE_HZ))
    return 0


def telephony_samples(source: bytes) -> "array[int]":
    """The samples of a WAV file as the switch plays them. Raises SoundUnusable."""
    channels, rate_hz, width, data = _pcm(source)
    frames = len(data) // (channels * width)
    if not frames:
        raise SoundUnusable("文件中没有声音")
    if frames > DURATION_MAX_S * rate_hz:
        raise SoundUnusable(f"背景音不能超过 {DURATION_MAX_S // 60} 分钟")
    samples = _as_16_bit(data[: frames * channels * width], width)
    if channels > 1:
        tracks = [samples[n::channels] for n in range(channels)]
        samples = array("h", (sum(each) // channels for each in zip(*tracks, strict=True)))
    return resample(samples, rate_hz, RATE_HZ)


def _pcm(source: bytes) -> tuple[int, int, int, bytes]:
    """Channels, rate in Hz, bytes of a sample, and the samples."""
    if source[:4] != b"RIFF" or source[8:12] != b"WAVE":
        raise SoundUnusable("不是 WAV 文件")
    form: bytes | None = None
    at = 12
    while at + 8 <= len(source):
        name, size = source[at : at + 4], int.from_bytes(source[at + 4 : at + 8], "little")
        # A file that was streamed does not know its length; what is there counts.
        chunk = source[at + 8 : at + 8 + size]
        if name == b"fmt ":
            form = chunk
        elif name == b"data":
            return (*_form(form), chunk)
        at += 8 + size + size % 2
    raise SoundUnusable("WAV 文件不完整")


def _form(chunk: bytes | None) -> tuple[int, int, int]:
    if chunk is None or len(chunk) < 16:
        raise SoundUnusable("WAV 文件不完整")
    code, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == _EXTENSIBLE and len(chunk) >= 26:
        code = int.from_bytes(chunk[24:26], "little")
    if code != _PCM or bits not in (8, 16, 24, 32):
        raise SoundUnusable("只支持 PCM 编码(8、16、24 或 32 位)的 WAV 文件,请转换后上传")
    if rate_hz not in _RATES_HZ or not 0 < channels <= _CHANNELS_MAX:
        raise SoundUnusable("采样率必须在 4000 到 192000 Hz 之间,声道不能超过 8 个")
    return channels, rate_hz, bits // 8


def _as_16_bit(data: bytes, width: int) -> "array[int]":
    if width == 1:
        # Eight bits are unsigned, all others are not.
        return array("h", ((value - 128) << 8 for value in data))
    samples = array("h")
    samples.frombytes(data if width == 2 else bytes(_upper_halves(data, width)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _upper_halves(data: bytes, width: int) -> bytearray:
    upper = bytearray(len(data) // width * 2)
    upper[0::2] = data[width - 2 :: width]
    upper[1::2] = data[width - 1 :: width]
    return upper


if __name__ == "__main__":
    sys.exit(main())
