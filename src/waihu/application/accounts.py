"""Accounts. A new one has everything that a first campaign has to choose from."""

from dataclasses import asdict

from waihu.application.customers import furnish_pool
from waihu.domain.agent import AgentKind, Script
from waihu.domain.campaign import RetryPolicy
from waihu.domain.errors import Invalid, NotFound
from waihu.domain.hours import CallingHours, Window
from waihu.domain.ids import AccountId, Instant
from waihu.domain.outcome import Outcome
from waihu.ports.clock import Clock
from waihu.ports.rows import Account, Partner
from waihu.ports.store import Session, Store

_OFFICE_DAY = (Window(9 * 60, 12 * 60), Window(13 * 60, 18 * 60))
_OFFICE_HOURS = CallingHours((_OFFICE_DAY,) * 7)

_FIRST_RETRIES = RetryPolicy(
    delay_s={
        Outcome.BUSY: 10 * 60,
        Outcome.NO_ANSWER: 30 * 60,
        Outcome.UNREACHABLE: 30 * 60,
        Outcome.POWERED_OFF: 60 * 60,
    },
    retries_max=2,
)

_FIRST_SCRIPT = Script(
    greeting="您好{姓名},这里是外呼演示。确认请按1,不再接听请按2。",
    keys={"1": "已为您确认。", "2": "好的,不再打扰。"},
    goodbye="感谢接听,再见。",
)
_FIRST_LLM_SCRIPT = Script(greeting="您好{姓名},我是智能助手,很高兴与您通话。", goodbye="感谢接听,再见。")


class Accounts:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create_partner(self, name: str) -> Partner:
        _check_name(name)
        async with self._store.writing() as session:
            return await session.accounts.add_partner(name)

    async def create(
        self,
        name: str,
        *,
        partner: str | None = None,
        parent: str | None = None,
        email: str | None = None,
        phone: str | None = None,
    ) -> Account:
        """A main account of `partner`, or a sub-account of `parent`. With neither, a partner of the same name is
        made for it. Raises Invalid, and NotFound for an unknown partner or parent.
        """
        _check_name(name)
        now = self._clock()
        async with self._store.writing() as session:
            main: Account | None = None
            if parent is not None:
                main = await session.accounts.get(parent)
                if main is None or (partner is not None and main.partner != partner):
                    raise NotFound("account")
                if main.parent is not None:
                    raise Invalid.field(
                        "parent", "This is a sub-account, which cannot have any itself. Name its main account."
                    )
                partner = main.partner
            elif partner is None:
                partner = (await session.accounts.add_partner(name)).id
            elif await session.accounts.partner(partner) is None:
                raise NotFound("partner")
            if await session.users.taken(partner, name, None, None, leaving_out=None):
                raise Invalid.field("name", "The partner has an account of this name. Choose another one.")
            account = await session.accounts.add(partner, main.id if main else None, name, email, phone, now)
            await furnish(session, account.id, now)
            return account

    async def read_partner(self, partner: str) -> Partner:
        async with self._store.reading() as session:
            found = await session.accounts.partner(partner)
        if found is None:
            raise NotFound("partner")
        return found

    async def read(self, account: str) -> Account:
        async with self._store.reading() as session:
            found = await session.accounts.get(account)
        if found is None:
            raise NotFound("account")
        return found

    async def all(self) -> list[Account]:
        """Of all partners, oldest first."""
        async with self._store.reading() as session:
            return list(await session.accounts.all())

    async def with_children(self, account: AccountId) -> tuple[AccountId, ...]:
        """The account and its sub-accounts."""
        async with self._store.reading() as session:
            return (account, *(child.id for child in await session.accounts.children(account)))

    async def set_daily_cap(self, account: AccountId, calls: int | None) -> None:
        """How many calls a phone may get per day over all campaigns; None is no limit. Raises Invalid."""
        if calls is not None and not 0 < calls <= 1000:
            raise Invalid.field("daily_cap", "Give a number of calls from 1 to 1000, or none for no limit.")
        async with self._store.writing() as session:
            await session.accounts.set_daily_cap(account, calls, self._clock())


async def furnish(session: Session, account: AccountId, now: Instant) -> None:
    """Gives a new account everything that a first campaign has to choose from."""
    owner = await session.accounts.get(account)
    if owner is not None and owner.parent is None:
        await furnish_pool(session, account, now)
    await session.hours_groups.add(
        account, "系统呼叫时间", _OFFICE_HOURS, is_default=True, skip_holiday=False, remark=None, now=now
    )
    await session.retry_rules.add(
        account, "默认重呼规则", _FIRST_RETRIES, is_default=True, remark="默认重呼规则", now=now
    )
    await session.agents.add(account, AgentKind.SCRIPT, "演示话术", asdict(_FIRST_SCRIPT), is_default=True, now=now)
    await session.agents.add(
        account, AgentKind.LLM, "演示大模型话术", asdict(_FIRST_LLM_SCRIPT), is_default=False, now=now
    )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 100:
        raise Invalid.field("name", "Give a name of 1 to 100 characters.")
