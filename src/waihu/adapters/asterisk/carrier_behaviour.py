"""How the people and networks behind the carrier box behave, chosen by the dialled number.

A number is `10`, two digits of behaviour and a serial of seven: eleven digits like a Chinese mobile number, but of
a range that is not given to anybody.
"""

from enum import StrEnum, unique

_PREFIX = "10"
_SERIAL_DIGITS = 7


@unique
class Behaviour(StrEnum):
    """The value is the two digits in the number."""

    TALKS = "00"
    """Answers at once, says a sentence and listens until the far end hangs up."""
    ANSWERS_LATE = "01"
    """Rings for as many seconds as the first two digits of the serial say, then talks."""
    RINGS = "02"
    """Rings and never answers; the network gives up after a minute."""
    BUSY = "03"
    FORBIDS = "04"
    """Refused with 403."""
    DECLINES = "05"
    """Refused with 603."""
    UNKNOWN_NUMBER = "06"
    """404 without an announcement."""
    UNAVAILABLE = "07"
    """480 without an announcement."""
    CONGESTED = "08"
    """503."""
    POWERED_OFF = "09"
    """An announcement before answer, then 480."""
    EMPTY_NUMBER = "10"
    """An announcement before answer, then 404."""
    VOICEMAIL = "11"
    """A greeting and a beep."""
    HANGS_UP = "12"
    """Answers and hangs up after two seconds, in the middle of a sentence."""
    SILENT = "13"
    """Answers and sends nothing at all: one-way audio."""
    PRESSES_ONE = "14"
    """Talks, then presses the key 1."""
    BUSY_ONCE = "15"
    """The first try of the number is busy, later ones talk."""
    RINGS_ONCE = "16"
    """The first try of the number is not answered, later ones talk."""
    HEARS = "17"
    """Answers, says nothing, and presses the key 1 once it has heard something."""

    def number(self, serial: int = 0) -> str:
        """A number that behaves like this."""
        assert 0 <= serial < 10**_SERIAL_DIGITS
        return f"{_PREFIX}{self.value}{serial:0{_SERIAL_DIGITS}}"


def number_answering_after(delay_s: int, serial: int = 0) -> str:
    """A number that answers after `delay_s` seconds."""
    assert 0 <= delay_s < 100 and 0 <= serial < 100_000
    return Behaviour.ANSWERS_LATE.number(delay_s * 100_000 + serial)


def behaviour_of(number: str) -> Behaviour | None:
    """How the box treats a number; None when it knows no such number and answers 404."""
    if len(number) != len(_PREFIX) + 2 + _SERIAL_DIGITS or not number.startswith(_PREFIX):
        return None
    code = number[len(_PREFIX) : len(_PREFIX) + 2]
    return Behaviour(code) if code in set(Behaviour) else None
