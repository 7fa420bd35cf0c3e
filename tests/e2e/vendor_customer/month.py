"""What a customer has gathered in the course of his month, and how he looks at it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import TypeVar

from vendor_customer.client import AgentApi, Json
from vendor_customer.console import Console
from vendor_customer.receivers import Receivers
from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.demo.stage import Stage

T = TypeVar("T")

PATIENCE_S = 120
STOPPED, RUNNING, WAITING = 1, 2, 3
"""What `status` of a task may be."""
ANSWERED, DECLINED, INVALID, BUSY = 1, 3, 5, 8
"""Some of what `status` of a number may be."""
PRICE = Decimal("0.45")
"""For each started minute."""
_STATUS = {Behaviour.BUSY: BUSY, Behaviour.DECLINES: DECLINED, Behaviour.UNKNOWN_NUMBER: INVALID}


@dataclass(frozen=True)
class Person:
    """Somebody to be called. `status` is what his number comes to, after so many `calls`; `extra` is the customer's own
    reference.
    """

    phone: str
    name: str
    extra: str
    status: int
    calls: int


@dataclass(frozen=True)
class Task:
    """`sub`: the sub-account whose it is, None: the user's own."""

    id: str
    is_old: bool = False
    sub: str | None = None


@dataclass
class Month:
    stage: Stage
    api: AgentApi
    """With the partner's token."""
    console: Console
    receivers: Receivers
    user: str = ""
    sub: str = ""
    allocation: int = 0
    scripts: dict[str, int] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    hours: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    people: dict[str, list[Person]] = field(default_factory=dict)
    _serials: "count[int]" = field(default_factory=count)

    def of(self, path: str) -> str:
        return f"/agent-api/user/{self.user}/{path}"

    def new(self, path: str) -> str:
        return f"/agent-api/new/user/{self.user}/{path}"

    def person(self, behaviour: Behaviour, name: str = "王芳") -> Person:
        """Somebody new."""
        phone = behaviour.number(next(self._serials))
        calls = 2 if behaviour is Behaviour.BUSY_ONCE else 1
        return Person(phone, name, f'{{"订单":"{phone}/1"}}', _STATUS.get(behaviour, ANSWERED), calls)

    async def start(self, task: Task) -> None:
        if task.is_old:
            await self.api.get(self.of(f"task_start/{task.id}"), sub_user_id=task.sub)
        else:
            await self.api.put(self.new(f"task_start/{task.id}"), {"sub_user_id": task.sub} if task.sub else {})

    async def opened(self, task: Task) -> Json:
        """The task as it is opened for editing."""
        path = f"task/{task.id}/edit"
        return await self.api.get(self.of(path) if task.is_old else self.new(path), sub_user_id=task.sub)

    async def stopped(self, *tasks: Task) -> None:
        """Waits until all of them have stopped by themselves."""
        for task in tasks:
            await eventually(lambda task=task: self._is_stopped(task))

    async def numbers(self, task: Task, **query: Json) -> list[Json]:
        return await self.api.rows(self.of(f"task/{task.id}/number"), sub_user_id=task.sub, **query)

    async def records(self, *tasks: Task) -> list[Json]:
        """Call records of the tasks."""
        found = []
        for task in tasks:
            found += await self.api.rows(self.of(f"task/{task.id}/record"), sub_user_id=task.sub)
        return found

    async def line_figures(self, task: Task) -> Json:
        """`call_info` of a 2.0 task in the list, of the one line that there is."""
        rows = await self.api.rows(self.new("task"), sub_user_id=task.sub)
        row = next(row for row in rows if row["uuid"] == task.id)
        return row["new_task_extra"]["call_info"][self.stage.line]

    async def balance(self) -> Decimal:
        return Decimal(str((await self.api.get(self.of("message")))["balance"]))

    async def _is_stopped(self, task: Task) -> bool:
        return (await self.opened(task))["status"] == STOPPED


async def eventually(question: Callable[[], Awaitable[T]]) -> T:
    """The first answer that is worth something. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not (answer := await question()):  # noqa: ASYNC110 (what is waited for happens in other processes)
            await asyncio.sleep(0.2)
    return answer
