"""From what people write about a contact to what can be stored, or to what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

from waihu.domain.phone import normalise
from waihu.ports.contact_book import ContactEntry

NAME_MAX = 100
EXTRA_MAX = 500
VARIABLES_MAX = 100
VARIABLE_NAME_MAX = 50
VARIABLE_MAX = 2_000

# Most numbers are mobile numbers in their normal form already. To see that takes a tenth of normalising them.
_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_SUFFIX = re.compile(r"[0-9A-Za-z]{1,16}")


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact as it comes in. `phone` may carry a `_suffix`; `extra` is given back byte for byte."""

    phone: str
    name: str | None = None
    extra: str | None = None
    zone: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def key_of(written: str) -> str | None:
    """The key under which a written number is stored: its diallable form and its suffix. None: it is no number."""
    if _PLAIN_MOBILE.fullmatch(written):
        return written
    number, separator, suffix = written.strip().partition("_")
    phone = normalise(number)
    if phone is None or (separator and not _SUFFIX.fullmatch(suffix)):
        return None
    return phone + separator + suffix


def entry_of(line: int, contact: NewContact) -> ContactEntry | str:
    """The entry, or what is wrong with the contact, for people."""
    key = key_of(contact.phone)
    if key is None:
        return "号码格式不正确"
    if contact.name is not None and len(contact.name) > NAME_MAX:
        return f"姓名不能超过 {NAME_MAX} 个字符"
    if contact.extra is not None and len(contact.extra) > EXTRA_MAX:
        return f"extra 不能超过 {EXTRA_MAX} 个字符"
    if contact.zone is not None and contact.zone not in _zones():
        return "时区无效,请填写 Asia/Shanghai 这样的名称"
    if len(contact.variables) > VARIABLES_MAX:
        return f"变量不能超过 {VARIABLES_MAX} 个"
    for name, value in contact.variables.items():
        if len(name) > VARIABLE_NAME_MAX:
            return f"变量名不能超过 {VARIABLE_NAME_MAX} 个字符"
        if len(value) > VARIABLE_MAX:
            return f"变量 {name} 不能超过 {VARIABLE_MAX} 个字符"
    entry = ContactEntry(line, key, contact.name, contact.extra, contact.zone, contact.variables)
    if not _is_storable(entry):
        return "含有无法保存的字符"
    return entry


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_storable(entry: ContactEntry) -> bool:
    texts = (entry.name, entry.extra, *entry.variables, *entry.variables.values())
    return all(text is None or is_storable_text(text) for text in texts)


def is_storable_text(text: str) -> bool:
    """PostgreSQL keeps no NUL, and half a surrogate pair is no character."""
    return not _UNSTORABLE.search(text)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
