"""The CRM pool: who is in it, and the template of what is known of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from waihu.application.customer_entry import NewCustomer, Problem, ReadCustomers, customer_of, phone_of
from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.ids import AccountId, Instant
from waihu.domain.place import NOWHERE, Operator
from waihu.ports.clock import Clock
from waihu.ports.customer_rows import (
    Component,
    ComponentKind,
    ComponentRole,
    Customer,
    CustomerEntry,
    CustomerFilter,
    Rule,
)
from waihu.ports.phone_places import PhonePlaces
from waihu.ports.rows import Page, Paging
from waihu.ports.store import Session, Store

COMPONENTS_MAX = 50
COMPONENT_NAME_MAX = 50
REMOVED_AT_ONCE = 5_000
"""Customers deleted in one transaction: a fraction of a second's work."""

_FIRST = (
    ("姓名", ComponentRole.NAME),
    ("公司", ComponentRole.COMPANY),
    ("邮箱", ComponentRole.EMAIL),
)
_SPOKEN_OF = frozenset({"name", "phone", "company", "手机号", "control_select_robot"})
"""Names that mean something else to scripts."""


@dataclass(frozen=True, slots=True)
class CustomersAsked:
    """Customers as a client asks for them; `components` in its order, None where it gave no value."""

    phone: str | None = None
    email: str | None = None
    company: str | None = None
    components: Sequence[tuple[str, str | None]] = ()
    operators: tuple[Operator, ...] | None = None
    sexes: tuple[int, ...] | None = None
    called: bool | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class CustomerImport:
    """What became of the rows: how many are stored, and what is wrong with the others, by place from 1."""

    stored: int
    refused: Mapping[int, Sequence[Problem]] = field(default_factory=dict)


class Customers:
    def __init__(self, store: Store, clock: Clock, places: PhonePlaces) -> None:
        self._store = store
        self._clock = clock
        self._places = places

    async def template(self, account: AccountId) -> Sequence[Component]:
        """Of the pool that the account works with, its own or its main account's."""
        async with self._store.looking() as session:
            return await session.customers.template(account)

    async def add_component(
        self, account: AccountId, name: str, kind: ComponentKind, *, rules: Sequence[Rule] = (), sort: int | None = None
    ) -> Component:
        """`sort` None: behind all others. Raises Invalid, and Conflict for a sub-account."""
        async with self._store.writing() as session:
            template = await _own_template(session, account)
            _check_component(name, kind, rules, template)
            if len(template) >= COMPONENTS_MAX:
                raise Conflict("too_many", f"公海组件不能超过 {COMPONENTS_MAX} 个")
            if sort is None:
                sort = max((each.sort for each in template), default=-1) + 1
            return await session.customers.add_component(
                account, name, kind, rules=rules, sort=sort, role=None, now=self._clock()
            )

    async def change_component(
        self, account: AccountId, component: str, change: Callable[[Component], Component]
    ) -> Component:
        """Values that are there already stay as they are. Raises Invalid, NotFound, and Conflict for a sub-account."""
        now = self._clock()
        async with self._store.writing() as session:
            template = await _own_template(session, account)
            found = _component(template, component)
            changed = replace(change(found), updated_at=now)
            if found.role is not None and (changed.name, changed.kind) != (found.name, found.kind):
                raise Invalid.field("name", "系统组件的名称和类型不能修改")
            _check_component(changed.name, changed.kind, changed.rules, [each for each in template if each != found])
            await session.customers.change_component(changed, now)
            return changed

    async def remove_component(self, account: AccountId, component: str) -> None:
        """Its values are shown no more. Raises NotFound, and Conflict for a sub-account and a built-in component."""
        async with self._store.writing() as session:
            found = _component(await _own_template(session, account), component)
            if found.role is not None:
                raise Conflict("built_in", "系统组件不能删除")
            await session.customers.remove_component(found.id)

    async def add(
        self, account: AccountId, customers: Sequence[NewCustomer], *, all_or_none: bool = True
    ) -> CustomerImport:
        """Takes customers in. One that the account has already is brought up to date: what the row says replaces what
        was known, and what it does not say stays. With `all_or_none` nothing is stored when any row is wrong.
        """
        template = await self.template(account)
        read = await self.read_rows(customers, template, all_required=True)
        refused = {line: each for line, each in enumerate(read.rows, start=1) if not isinstance(each, CustomerEntry)}
        entries = [each for each in read.rows if isinstance(each, CustomerEntry)]
        if not entries or (refused and all_or_none):
            return CustomerImport(0, refused)
        async with self._store.writing() as session:
            await session.customers.put(account, entries, read.now)
        return CustomerImport(len(entries), refused)

    async def read_rows(
        self, customers: Sequence[NewCustomer], template: Sequence[Component], *, all_required: bool
    ) -> ReadCustomers:
        """Looks at rows as they come in. `all_required`: components that the template requires must be there."""
        phones = [phone_of(each.phone) for each in customers]
        places = await self._places.of([phone for phone in phones if phone is not None])
        rows = [
            customer_of(line, each, template, places.get(phone or "", NOWHERE), all_required=all_required)
            for line, (phone, each) in enumerate(zip(phones, customers, strict=True), start=1)
        ]
        return ReadCustomers(rows, self._clock())

    async def page(self, account: AccountId, asked: CustomersAsked, paging: Paging) -> Page[Customer]:
        """Newest first. Raises Invalid."""
        async with self._store.reading() as session:
            chosen = chosen_by(asked, await session.customers.template(account))
            return await session.customers.page(account, chosen, paging)

    async def read(self, account: AccountId, customer: str) -> Customer:
        """Raises NotFound."""
        async with self._store.reading() as session:
            found = await session.customers.get(account, customer)
        if found is None:
            raise NotFound("customer")
        return found

    async def remove(
        self,
        account: AccountId,
        *,
        phones: Sequence[str] = (),
        created_from: Instant | None = None,
        created_to: Instant | None = None,
    ) -> int:
        """Deletes those with one of `phones`, as people write them, that came in that time; answers how many.

        Without phones all of that time, without both nobody. Campaigns keep the contacts they have.
        """
        if not phones and created_from is None and created_to is None:
            return 0
        keys = [key for key in map(phone_of, phones) if key is not None] if phones else None
        chosen = CustomerFilter(created_from=created_from, created_to=created_to)
        total, removed = 0, REMOVED_AT_ONCE
        while removed == REMOVED_AT_ONCE:
            async with self._store.writing() as session:
                removed = await session.customers.remove(account, chosen, keys, REMOVED_AT_ONCE)
            total += removed
        return total


async def furnish_pool(session: Session, account: AccountId, now: Instant) -> None:
    """Gives a new main account the components that every pool begins with."""
    for sort, (name, role) in enumerate(_FIRST):
        await session.customers.add_component(
            account, name, ComponentKind.TEXT, rules=(Rule.SOMETIMES,), sort=sort, role=role, now=now
        )


def chosen_by(asked: CustomersAsked, template: Sequence[Component]) -> CustomerFilter:
    """Raises Invalid about `components.1.id` and the like."""
    by_id = {component.id: component for component in template}
    components: dict[str, str] = {}
    roles: dict[ComponentRole, str] = {}
    problems: dict[str, list[str]] = {}
    for index, (id, value) in enumerate(asked.components):
        component = by_id.get(id.lower())
        if component is None:
            problems[f"components.{index}.id"] = ["公海模板中没有该组件"]
        elif not value:
            problems[f"components.{index}.value"] = ["value 不能为空"]
        elif component.role is None:
            components[component.id] = value
        else:
            roles[component.role] = value
    if problems:
        raise Invalid(problems)
    return CustomerFilter(
        phone_start=None if asked.phone is None else phone_of(asked.phone) or asked.phone,
        email_start=asked.email,
        company_start=asked.company,
        components=components,
        roles=roles,
        operators=asked.operators,
        sexes=asked.sexes,
        called=asked.called,
        created_from=asked.created_from,
        created_to=asked.created_to,
    )


async def _own_template(session: Session, account: AccountId) -> Sequence[Component]:
    owner = await session.accounts.get(account)
    if owner is None:
        raise NotFound("account")
    if owner.parent is not None:
        raise Conflict("main_only", "公海模板属于主账户,子账户不能修改")
    return await session.customers.template(account)


def _component(template: Sequence[Component], id: str) -> Component:
    found = next((each for each in template if each.id == id.lower()), None)
    if found is None:
        raise NotFound("component")
    return found


def _check_component(name: str, kind: ComponentKind, rules: Sequence[Rule], others: Sequence[Component]) -> None:
    problems: dict[str, list[str]] = {}
    if not name.strip() or name != name.strip() or len(name) > COMPONENT_NAME_MAX:
        problems["name"] = [f"组件名称不能为空、首尾不能有空格,且不能超过 {COMPONENT_NAME_MAX} 个字符"]
    elif name in _SPOKEN_OF or any(each.name == name for each in others):
        problems["name"] = ["组件名称已被使用"]
    if Rule.INTEGER in rules and kind is not ComponentKind.NUMBER:
        problems["rules"] = ["integer 只能用于 number 组件"]
    if Rule.DATE in rules and kind is not ComponentKind.DATE:
        problems["rules"] = ["date 只能用于 date 组件"]
    if problems:
        raise Invalid(problems)
