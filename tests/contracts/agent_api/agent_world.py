"""Who asks: tenants that speak to the agent-api over HTTP, and the clock that their days go by."""

from dataclasses import dataclass
from typing import Any

import httpx

from waihu.application.services import Application
from waihu.domain.ids import AccountId, Instant

NOON: Instant = 1_772_596_800_000  # 2026-03-04 12:00:00 in China.


class StandingClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Instant:
        return self.now


@dataclass
class Tenant:
    """An account with its partner's token, and a client that speaks for it."""

    http: httpx.AsyncClient
    application: Application
    partner: str
    user_id: AccountId
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The decoded answer of `/agent-api` + path, in which {user} is the tenant's id."""
        return (await self.raw(method, path, body, **query)).json()

    async def raw(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any
    ) -> httpx.Response:
        return await self.http.request(
            method,
            "/agent-api" + path.replace("{user}", self.user_id),
            json=body,
            params=query or None,
            headers={"authorization": f"Bearer {self.token if token is None else token}"},
        )

    async def body_v1(self, line: str, **changes: Any) -> dict[str, Any]:
        """A 1.0 task as a client would fill it in after the init call."""
        init = (await self.ask("GET", "/user/{user}/task/create"))["data"]
        return {
            "name": "一号任务",
            "caller_line_id": line,
            "destination_extension": init["outbound_group"][0]["id"],
            "dial_time_id": init["task_dial_times"][0]["id"],
            "maximumcall": 1,
            **changes,
        }

    async def body_v2(self, *lines: Any, extras: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """A 2.0 task as a client would fill it in after the init call."""
        init = (await self.ask("GET", "/new/user/{user}/task/create"))["data"]
        return {
            "name": "二号任务",
            "destination_extension": init["outbound_group"][0]["id"],
            "dial_time_id": init["task_dial_times"][0]["id"],
            "maximumcall": 1,
            "task_extras": {
                "start_time": "2024-11-01 13:25:26",
                "stop_time": "2027-11-01 13:25:26",
                "line": list(lines),
                "holiday": [],
                **(extras or {}),
            },
            **changes,
        }

    async def make_v1(self, line: str, **changes: Any) -> str:
        made = await self.ask("POST", "/user/{user}/task", await self.body_v1(line, **changes))
        assert made["code"] == 200, made
        return str(made["data"]["uuid"])

    async def make_v2(self, *lines: Any, extras: dict[str, Any] | None = None, **changes: Any) -> str:
        made = await self.ask("POST", "/new/user/{user}/task", await self.body_v2(*lines, extras=extras, **changes))
        assert made["code"] == 200, made
        return str(made["data"]["uuid"])

    async def add_line(self, channels: int, name: str = "线路一") -> str:
        """A line of which the tenant may use so many channels."""
        kept = await self.application.trunks.add(name, "sip.example.com", channels_max=100, cps_max=10)
        await self.application.trunks.allocate(kept.trunk.id, self.user_id, channels, remark="测试线路")
        return kept.trunk.id

    async def add_sub_account(self, name: str = "子账户") -> AccountId:
        return (await self.application.accounts.create(name, parent=self.user_id)).id
