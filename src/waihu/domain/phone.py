"""Phone numbers as they are written, and as they are dialled."""

import re
import unicodedata

_SEPARATORS = re.compile(r"[\s\-().·/]+")
_AS_FLOAT = re.compile(r"([0-9]+)\.0")
_FOREIGN = re.compile(r"\+[1-9][0-9]{2,14}")
_NATIONAL = re.compile(r"(?!00)[0-9]{3,15}")


def normalise(written: str) -> str | None:
    """The diallable form of a number as people write it, or None when it is none.

    Full-width digits and separators are folded, a leading 00 becomes +, and China's own +86 is dropped, so
    that one person has one form. E.164 allows 15 digits; three is the shortest service number.
    """
    folded = unicodedata.normalize("NFKC", written).strip()
    if as_float := _AS_FLOAT.fullmatch(folded):
        # Programs that take numbers for measures write 13800138000.0; one digit more would be a stranger's.
        folded = as_float[1]
    folded = _SEPARATORS.sub("", folded)
    if folded.startswith("00"):
        folded = "+" + folded[2:]
    if folded.startswith("+86"):
        # What is left must be a number within China: +86 00 1 900 would be dialled as a call abroad.
        folded, form = folded[3:], _NATIONAL
    else:
        form = _FOREIGN if folded.startswith("+") else _NATIONAL
    return folded if form.fullmatch(folded) else None


def number_of(keyed: str) -> str:
    """The written number of a key that may carry a `_suffix`, which allows one phone twice in a campaign."""
    return keyed.partition("_")[0]
