"""From what people write about a customer to what can be stored, or to what is wrong with it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from waihu.application.contact_entry import EXTRA_MAX, NAME_MAX, is_storable_text, key_of
from waihu.domain.ids import Instant
from waihu.domain.phone import number_of
from waihu.domain.place import Place
from waihu.ports.customer_rows import Component, ComponentKind, ComponentRole, CustomerEntry, Rule

TEXT_MAX = 255
VALUE_MAX = 1_000
SEXES = range(3)

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d")


@dataclass(frozen=True, slots=True)
class GivenComponent:
    """A value for a component, as a client names it. None and an empty text say nothing."""

    id: str
    value: str | None


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer as it comes in. `phone` may carry a `_suffix`, which is a campaign's and not the customer's."""

    phone: str
    name: str | None = None
    email: str | None = None
    company: str | None = None
    sex: int | None = None
    sort: int | None = None
    source_id: int | None = None
    industry_id: int | None = None
    grade_id: int | None = None
    extra: str | None = None
    components: Sequence[GivenComponent] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; `field` is a path in it, such as `components.1.value`."""

    field: str
    said: str


@dataclass(frozen=True, slots=True)
class ReadCustomers:
    """Rows that have been looked at: for each an entry, or what is wrong with it. They come in as of `now`."""

    rows: Sequence[CustomerEntry | list[Problem]]
    now: Instant


def phone_of(written: str) -> str | None:
    """The diallable number of a customer, whatever suffix a campaign gives it. None: it is no number."""
    key = key_of(written)
    return None if key is None else number_of(key)


def customer_of(
    line: int, new: NewCustomer, template: Sequence[Component], place: Place, *, all_required: bool
) -> CustomerEntry | list[Problem]:
    """The entry, or everything that is wrong with it.

    `all_required`: components that the template requires must be there; otherwise only what is there is looked at.
    """
    problems: list[Problem] = []
    phone = phone_of(new.phone)
    if phone is None:
        problems.append(Problem("phone", "号码格式不正确"))
    own, of_roles = _components(new.components, template, problems)
    known = {
        ComponentRole.NAME: new.name or of_roles.get(ComponentRole.NAME),
        ComponentRole.COMPANY: new.company or of_roles.get(ComponentRole.COMPANY),
        ComponentRole.EMAIL: new.email or of_roles.get(ComponentRole.EMAIL),
    }
    if all_required:
        problems += _missing(new.components, template, own, known)
    limits = (
        ("name", known[ComponentRole.NAME], NAME_MAX),
        ("email", known[ComponentRole.EMAIL], TEXT_MAX),
        ("company", known[ComponentRole.COMPANY], TEXT_MAX),
        ("extra", new.extra, EXTRA_MAX),
    )
    for name, value, longest in limits:
        if value is not None and len(value) > longest:
            problems.append(Problem(name, f"{name} 不能超过 {longest} 个字符"))
        elif value is not None and not is_storable_text(value):
            problems.append(Problem(name, f"{name} 含有无法保存的字符"))
    if new.sex is not None and new.sex not in SEXES:
        problems.append(Problem("sex", "sex 只能是 0 未知、1 男 或 2 女"))
    if problems:
        return problems
    assert phone is not None
    return CustomerEntry(
        line=line,
        phone=phone,
        name=known[ComponentRole.NAME],
        email=known[ComponentRole.EMAIL],
        company=known[ComponentRole.COMPANY],
        sex=new.sex,
        sort=new.sort,
        source_id=new.source_id,
        industry_id=new.industry_id,
        grade_id=new.grade_id,
        extra=new.extra,
        operator=None if place.operator is None else place.operator.value,
        province=place.province,
        city=place.city,
        components=own,
    )


def variables_of(entry: CustomerEntry, template: Iterable[Component]) -> dict[str, str]:
    """What a script may say of the customer by the names of the template's components."""
    return {each.name: entry.components[each.id] for each in template if each.id in entry.components}


def _components(
    given: Sequence[GivenComponent], template: Sequence[Component], problems: list[Problem]
) -> tuple[dict[str, str], dict[ComponentRole, str]]:
    """The given values by component, and those of components whose values the customer has as its own."""
    by_id = {component.id: component for component in template}
    own: dict[str, str] = {}
    of_roles: dict[ComponentRole, str] = {}
    for index, each in enumerate(given):
        component = by_id.get(each.id.lower())
        if component is None:
            problems.append(Problem(f"components.{index}.id", "公海模板中没有该组件"))
            continue
        value = (each.value or "").strip()
        if not value:
            if Rule.REQUIRED in component.rules:
                problems.append(Problem(f"components.{index}.value", f"{component.name} 不能为空"))
            continue
        if wrong := _wrong(component, value):
            problems.append(Problem(f"components.{index}.value", f"{component.name} {wrong}"))
        elif component.role is None:
            own[component.id] = value
        else:
            of_roles[component.role] = value
    return own, of_roles


def _missing(
    given: Sequence[GivenComponent],
    template: Sequence[Component],
    own: Mapping[str, str],
    known: Mapping[ComponentRole, str | None],
) -> list[Problem]:
    """Required components that were not sent at all. One that is `sometimes` required need not be."""
    sent = {each.id.lower() for each in given}
    return [
        Problem("components", f"{component.name} 不能为空")
        for component in template
        if Rule.REQUIRED in component.rules and Rule.SOMETIMES not in component.rules and component.id not in sent
        if not (own.get(component.id) if component.role is None else known[component.role])
    ]


def _wrong(component: Component, value: str) -> str | None:
    if len(value) > VALUE_MAX:
        return f"不能超过 {VALUE_MAX} 个字符"
    if not is_storable_text(value):
        return "含有无法保存的字符"
    if Rule.INTEGER in component.rules and not _WHOLE.fullmatch(value):
        return "必须是整数"
    if component.kind is ComponentKind.NUMBER and not _NUMBER.fullmatch(value):
        return "必须是数字"
    if (component.kind is ComponentKind.DATE or Rule.DATE in component.rules) and not _is_date(value):
        return "必须是日期,如 2026-03-04"
    return None


def _is_date(value: str) -> bool:
    for form in _DATES:
        try:
            datetime.strptime(value, form)
        except ValueError:
            continue
        return True
    return False
