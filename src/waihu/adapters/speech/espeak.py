"""Speech from espeak-ng, for demonstrations and tests: robotic, intelligible, offline and fast.

The library comes with the wheel espeakng-loader. It is one global synthesiser, so calls take turns.
"""

import ctypes
import threading
from array import array
from functools import cache
from pathlib import Path

import espeakng_loader  # type: ignore[import-untyped]

from waihu.adapters.speech.resample import resample

MANDARIN = "cmn"
ENGLISH = "en-us"

_OUTPUT_SYNCHRONOUS = 2
_POSITION_CHARACTER = 1
_CHARACTERS_UTF8 = 1
_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

_turn = threading.Lock()


class SpeechFailed(Exception):
    """espeak-ng could not speak: an unknown voice, or a broken installation."""


def synthesize(text: str, voice: str, rate_hz: int = 8000) -> bytes:
    """`text` spoken by `voice` (MANDARIN reads Chinese characters) as 16 bit mono PCM in native byte order.

    Takes a few milliseconds per second of speech, most of it resampling. Raises SpeechFailed.
    """
    with _turn:
        library, own_rate_hz = _load()
        if library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise SpeechFailed(f"espeak-ng has no voice {voice}")
        spoken = array("h")

        def collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
            if samples and count > 0:
                spoken.frombytes(ctypes.string_at(samples, count * spoken.itemsize))
            return 0

        # A name of its own keeps the callback alive while C code calls it.
        callback = _Callback(collect)
        library.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        status = library.espeak_Synth(
            encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
        )
        library.espeak_Synchronize()
    if status != _OK:
        raise SpeechFailed(f"espeak-ng answered status {status}")
    return resample(spoken, own_rate_hz, rate_hz).tobytes()


@cache
def _load() -> tuple[ctypes.CDLL, int]:
    """The initialised library and the rate it speaks at, in Hz."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
        *(ctypes.c_void_p, ctypes.c_void_p),
    ]
    data = Path(espeakng_loader.get_data_path())
    rate_hz = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), 0)
    if rate_hz <= 0:
        raise SpeechFailed(f"espeak-ng did not start with the data in {data}")
    return library, rate_hz
