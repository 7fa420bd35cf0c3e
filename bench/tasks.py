"""Makes tasks on a running waihu: on a stage, or in a house without a switch."""

import time
from pathlib import Path

from bench.house import House
from waihu.bootstrap.application import open_application
from waihu.data_directory import DataDirectory
from waihu.demo.stage import Stage
from waihu.domain.agent import AgentKind, Script
from waihu.domain.ids import AccountId

SHORT = Script(greeting="您好。")
"""One short line and no questions: the shortest call in which somebody is spoken to."""

LONG = Script(greeting="您好，这里是外呼演示，耽误您一点时间，请问您现在方便接听电话吗？")
"""Longer than those callees listen who hang up by themselves."""


class Tasks:
    """Tasks that may dial at any hour, never again, and tell everybody `script`."""

    def __init__(self, place: Stage | House, script: Script) -> None:
        self.script = script
        self._place = place
        self._chosen: dict[str, int] = {}

    async def create(self, channels: int) -> str:
        """A stopped task without numbers; answers its id."""
        if not self._chosen:
            self._chosen = {"destination_extension": await self._agent(), "dial_time_id": await self._hours()}
        created = await self._place.api(
            "POST",
            f"/new/user/{self._place.account}/task",
            {
                **self._chosen,
                "name": f"bench {time.time_ns()}",
                "maximumcall": channels,
                "task_extras": {
                    "start_time": "2024-01-01 00:00:00",
                    "stop_time": "2099-01-01 00:00:00",
                    "holiday": [],
                    "line": [{"id": self._place.line, "limit": channels}],
                    "pop_mode": 1,
                    "redial_enabled": 0,
                },
            },
        )
        return str(created["data"]["uuid"])

    async def _agent(self) -> int:
        # The agent-api has no way to write a script; the application has.
        running = DataDirectory(self._place.data).running()
        assert running is not None, "waihu is up"
        token_key = Path(running.token_key)
        async with open_application(running.database_url, Path(running.recordings), token_key=token_key) as application:
            account = AccountId(self._place.account)
            return (await application.agents.create(account, AgentKind.SCRIPT, "bench", self.script)).id

    async def _hours(self) -> int:
        always = [{"week": day, "times": [{"begin_time": "00:00", "end_time": "24:00"}]} for day in range(7)]
        group = await self._place.api(
            "POST",
            f"/user/{self._place.account}/dial-time-group",
            {"name": "bench", "content": always, "is_default": False, "skip_holiday": False},
        )
        return int(group["data"]["id"])
