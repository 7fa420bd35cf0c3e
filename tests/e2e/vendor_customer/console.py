"""What the vendor's customers do with the mouse in its web console, and waihu's by calls that are waihu's own: scripts,
redial rules, fields of the CRM pool, the callback address, tokens.
"""

from collections.abc import Sequence

from vendor_customer.client import AgentApi, Json

ALWAYS = [{"week": day, "times": [{"begin_time": "00:00", "end_time": "24:00"}]} for day in range(7)]


class Console:
    """With a partner's token."""

    def __init__(self, api: AgentApi) -> None:
        self._api = api

    async def node(self) -> str:
        """The cloud node, whose id other calls want."""
        (node,) = await self._api.get("/agent-api/cloud_node")
        return str(node["id"])

    async def script(self, user: str, name: str, greeting: str, keys: Sequence[Json] = ()) -> int:
        body = {"name": name, "greeting": greeting, "keys": list(keys), "key_timeout": 2, "goodbye": "再见。"}
        return int((await self._api.post(f"/agent-api/group/{user}", body))["id"])

    async def redial_rule(self, user: str, name: str, details: Sequence[Json]) -> int:
        body = {"name": name, "details": list(details), "max_times": 1}
        return int((await self._api.post(f"/agent-api/user/{user}/redial-rule", body))["id"])

    async def field(self, user: str, name: str, kind: str, validate: Sequence[str]) -> str:
        body = {"name": name, "type": kind, "validate": list(validate)}
        return str((await self._api.post(f"/agent-api/user/{user}/customer/component", body))["id"])

    async def be_told_at(self, user: str, url: str) -> None:
        await self._api.put(f"/agent-api/user/{user}/callback", {"callback_url": url})

    async def waiting_pushes(self, user: str, url: str) -> list[Json]:
        found = await self._api.rows(f"/agent-api/user/{user}/callbacks", status="waiting")
        return [each for each in found if each["url"] == url]

    async def redeliver(self, user: str, push: int) -> None:
        await self._api.post(f"/agent-api/user/{user}/callbacks/{push}/redeliver", {})

    async def token(self, user: str) -> tuple[str, str]:
        """A token of this user's own, and its id."""
        made = await self._api.post("/agent-api/token", {"user_id": user, "name": "crm"})
        return made["token"], made["id"]

    async def revoke(self, token: str) -> None:
        await self._api.delete(f"/agent-api/token/{token}")
