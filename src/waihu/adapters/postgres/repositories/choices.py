"""Small lists that a form offers: transfer groups, background sounds, review configurations."""

from collections.abc import Sequence

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import instant
from waihu.domain.ids import AccountId
from waihu.ports.rows import BackgroundSound, ReviewConfig, SeatGroup


class ChoiceRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def seat_groups(self, account: AccountId) -> Sequence[SeatGroup]:
        found = await self._connection.fetch(
            "select id, name, strategy from seat_group where account_id = $1 order by id", account
        )
        return [SeatGroup(row["id"], row["name"], row["strategy"]) for row in found]

    async def background_sounds(self, account: AccountId) -> Sequence[BackgroundSound]:
        found = await self._connection.fetch(
            "select id, name, created_at from background_sound where account_id = $1 order by id", account
        )
        return [BackgroundSound(row["id"], row["name"], instant(row["created_at"])) for row in found]

    async def review_configs(self, account: AccountId) -> Sequence[ReviewConfig]:
        found = await self._connection.fetch(
            "select id, name, is_default, created_at from review_config where account_id = $1 order by id", account
        )
        return [
            ReviewConfig(row["id"], account, row["name"], row["is_default"], instant(row["created_at"]))
            for row in found
        ]
