"""How phones are shown to whoever looks at an account that hides them. Every answer of this face comes through here."""

from waihu.domain.phone import number_of
from waihu.ports.privacy import MaskStyle

_HEAD, _TAIL = 3, 4


def shown(phone: str, style: MaskStyle | None) -> str:
    """The phone as it is shown; a `_suffix` stays. None shows it in full."""
    if style is None:
        return phone
    number = number_of(phone)
    # Of a short number less is shown, so that as much of it stays hidden.
    tail = min(_TAIL, (len(number) + 1) // 3)
    head = min(_HEAD, (len(number) + 1) // 4) if style is MaskStyle.ENDS else 0
    hidden = len(number) - head - tail
    return number[:head] + "*" * hidden + phone[head + hidden :]


def shown_in(text: str, phone: str, style: MaskStyle | None) -> str:
    """A text that may mention the phone."""
    number = number_of(phone)
    return text if style is None or not number else text.replace(number, shown(number, style))
