"""Retry rules that campaigns choose from. An edit reaches the campaigns that follow the rule at once."""

from collections.abc import Callable
from dataclasses import replace

from waihu.application.campaign_checks import RETRIES_MAX, RETRY_DELAY_MAX_S
from waihu.application.choices import page_of
from waihu.domain.campaign import RetryPolicy
from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import Page, Paging, RetryRule
from waihu.ports.store import Session, Store


class RetryRules:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, account: AccountId, paging: Paging) -> Page[RetryRule]:
        async with self._store.reading() as session:
            return page_of(await session.retry_rules.all(account), paging)

    async def read(self, account: AccountId, rule: int) -> RetryRule:
        """Raises NotFound."""
        async with self._store.reading() as session:
            return await _get(session, account, rule)

    async def create(
        self,
        account: AccountId,
        name: str,
        policy: RetryPolicy,
        *,
        enabled: bool = True,
        is_default: bool = False,
        remark: str | None = None,
    ) -> RetryRule:
        """Raises Invalid."""
        _check(name, policy)
        now = self._clock()
        async with self._store.writing() as session:
            if is_default:
                await session.retry_rules.clear_default(account, now)
            return await session.retry_rules.add(
                account, name, policy, is_default=is_default, remark=remark, now=now, enabled=enabled
            )

    async def update(self, account: AccountId, rule: int, change: Callable[[RetryRule], RetryRule]) -> RetryRule:
        """Raises Invalid and NotFound."""
        now = self._clock()
        async with self._store.writing() as session:
            found = await _get(session, account, rule)
            changed = replace(change(found), updated_at=now)
            _check(changed.name, changed.policy)
            if changed.is_default and not found.is_default:
                await session.retry_rules.clear_default(account, now)
            await session.retry_rules.change(changed)
            return changed

    async def delete(self, account: AccountId, rule: int) -> None:
        """Raises NotFound, and Conflict while campaigns use it."""
        async with self._store.writing() as session:
            await _get(session, account, rule)
            users = await session.retry_rules.used_by(rule)
            if users:
                raise Conflict("in_use", f"该重呼规则正被 {users} 个任务使用,请先修改这些任务")
            await session.retry_rules.remove(rule)


async def _get(session: Session, account: AccountId, rule: int) -> RetryRule:
    found = await session.retry_rules.get(account, rule)
    if found is None:
        raise NotFound("retry_rule")
    return found


def _check(name: str, policy: RetryPolicy) -> None:
    problems: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 100:
        problems["name"] = ["名称不能为空,且不能超过 100 个字符"]
    if not policy.delay_s:
        problems["delay_s"] = ["至少需要一个重呼的号码状态"]
    if any(not 0 <= delay_s <= RETRY_DELAY_MAX_S for delay_s in policy.delay_s.values()):
        problems["delay_s"] = [f"重呼间隔必须在 0 到 {RETRY_DELAY_MAX_S // 60} 分钟之间"]
    if not 0 < policy.retries_max <= RETRIES_MAX:
        problems["retries_max"] = [f"重呼次数必须在 1 到 {RETRIES_MAX} 之间"]
    if problems:
        raise Invalid(problems)
