"""Calling hours that campaigns choose from."""

from collections.abc import Callable
from dataclasses import replace

from waihu.domain.errors import Conflict, Invalid, NotFound
from waihu.domain.hours import CallingHours
from waihu.domain.ids import AccountId
from waihu.ports.clock import Clock
from waihu.ports.rows import HoursGroup, Page, Paging
from waihu.ports.store import Store


class CallingHoursGroups:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, account: AccountId, paging: Paging) -> Page[HoursGroup]:
        async with self._store.reading() as session:
            return await session.hours_groups.page(account, paging)

    async def create(
        self,
        account: AccountId,
        name: str,
        hours: CallingHours,
        *,
        is_default: bool = False,
        skip_holiday: bool = False,
        remark: str | None = None,
    ) -> HoursGroup:
        """Raises Invalid."""
        _check(name, hours)
        now = self._clock()
        async with self._store.writing() as session:
            if is_default:
                await session.hours_groups.clear_default(account, now)
            return await session.hours_groups.add(
                account, name, hours, is_default=is_default, skip_holiday=skip_holiday, remark=remark, now=now
            )

    async def update(self, account: AccountId, group: int, change: Callable[[HoursGroup], HoursGroup]) -> HoursGroup:
        """Campaigns that follow it are dialled by the new hours at once. Raises Invalid and NotFound."""
        now = self._clock()
        async with self._store.writing() as session:
            found = await session.hours_groups.get(account, group)
            if found is None:
                raise NotFound("calling_hours")
            changed = replace(change(found), updated_at=now)
            _check(changed.name, changed.hours)
            if changed.is_default and not found.is_default:
                await session.hours_groups.clear_default(account, now)
            await session.hours_groups.change(changed, now)
            return changed

    async def delete(self, account: AccountId, group: int) -> None:
        """Raises NotFound, and Conflict while campaigns use it."""
        async with self._store.writing() as session:
            if await session.hours_groups.get(account, group) is None:
                raise NotFound("calling_hours")
            users = await session.hours_groups.used_by(group)
            if users:
                raise Conflict("in_use", f"该呼叫时间组正被 {users} 个任务使用,请先修改这些任务")
            await session.hours_groups.remove(group)


def _check(name: str, hours: CallingHours) -> None:
    problems: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 100:
        problems["name"] = ["名称不能为空,且不能超过 100 个字符"]
    if not any(hours.week):
        problems["hours"] = ["至少需要一个呼叫时段"]
    if problems:
        raise Invalid(problems)
