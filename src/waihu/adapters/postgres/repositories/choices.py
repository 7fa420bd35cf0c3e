"""What campaigns choose from: transfer groups, background sounds, review configurations."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.choices import BackgroundSound, ReviewConfig, SeatGroup, Setting

_SEAT_GROUP = "id, account_id, name, strategy, members, created_at, updated_at"
_SOUND = "id, account_id, name, file, duration_ms, created_at"
_REVIEW = "id, account_id, name, prompt, is_default, created_at, updated_at"


class ChoiceRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def seat_groups(self, account: AccountId) -> Sequence[SeatGroup]:
        found = await self._connection.fetch(
            f"select {_SEAT_GROUP} from seat_group where account_id = $1 order by id", account
        )
        return [_seat_group(row) for row in found]

    async def add_seat_group(
        self, account: AccountId, name: str, strategy: int, members: Sequence[str], now: Instant
    ) -> SeatGroup:
        row = await self._connection.fetchrow(
            f"""insert into seat_group (account_id, name, strategy, members, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $5) returning {_SEAT_GROUP}""",
            account,
            name,
            strategy,
            members,
            moment(now),
        )
        assert row is not None
        return _seat_group(row)

    async def change_seat_group(self, group: SeatGroup) -> None:
        await self._connection.execute(
            "update seat_group set name = $2, strategy = $3, members = $4, updated_at = $5 where id = $1",
            group.id,
            group.name,
            group.strategy,
            group.members,
            moment(group.updated_at),
        )

    async def remove_seat_group(self, group: int) -> None:
        await self._connection.execute("delete from seat_group where id = $1", group)

    async def background_sounds(self, account: AccountId) -> Sequence[BackgroundSound]:
        found = await self._connection.fetch(
            f"select {_SOUND} from background_sound where account_id = $1 order by id", account
        )
        return [_sound(row) for row in found]

    async def add_background_sound(
        self, account: AccountId, name: str, file: str, duration_ms: int, now: Instant
    ) -> BackgroundSound:
        row = await self._connection.fetchrow(
            f"""insert into background_sound (account_id, name, file, duration_ms, created_at)
                values ($1, $2, $3, $4, $5) returning {_SOUND}""",
            account,
            name,
            file,
            duration_ms,
            moment(now),
        )
        assert row is not None
        return _sound(row)

    async def remove_background_sound(self, sound: int) -> None:
        await self._connection.execute("delete from background_sound where id = $1", sound)

    async def review_configs(self, account: AccountId) -> Sequence[ReviewConfig]:
        found = await self._connection.fetch(
            f"select {_REVIEW} from review_config where account_id = $1 order by id", account
        )
        return [_review(row) for row in found]

    async def add_review_config(
        self, account: AccountId, name: str, prompt: str, *, is_default: bool, now: Instant
    ) -> ReviewConfig:
        row = await self._connection.fetchrow(
            f"""insert into review_config (account_id, name, prompt, is_default, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $5) returning {_REVIEW}""",
            account,
            name,
            prompt,
            is_default,
            moment(now),
        )
        assert row is not None
        return _review(row)

    async def change_review_config(self, config: ReviewConfig) -> None:
        await self._connection.execute(
            "update review_config set name = $2, prompt = $3, is_default = $4, updated_at = $5 where id = $1",
            config.id,
            config.name,
            config.prompt,
            config.is_default,
            moment(config.updated_at),
        )

    async def clear_default_review_config(self, account: AccountId, now: Instant) -> None:
        await self._connection.execute(
            "update review_config set is_default = false, updated_at = $2 where account_id = $1 and is_default",
            account,
            moment(now),
        )

    async def remove_review_config(self, config: int) -> None:
        await self._connection.execute("delete from review_config where id = $1", config)

    async def used_by(self, account: AccountId, setting: Setting, chosen: int) -> int:
        counted = await self._connection.fetchval(
            "select count(*) from campaign where account_id = $1 and wire ->> $2 = $3 and deleted_at is null",
            account,
            setting.value,
            str(chosen),
        )
        assert isinstance(counted, int)
        return counted


def _seat_group(row: Record) -> SeatGroup:
    return SeatGroup(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        name=row["name"],
        strategy=row["strategy"],
        members=tuple(row["members"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )


def _sound(row: Record) -> BackgroundSound:
    return BackgroundSound(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        name=row["name"],
        file=row["file"],
        duration_ms=row["duration_ms"],
        created_at=instant(row["created_at"]),
    )


def _review(row: Record) -> ReviewConfig:
    return ReviewConfig(
        id=row["id"],
        account=AccountId(str(row["account_id"])),
        name=row["name"],
        prompt=row["prompt"],
        is_default=row["is_default"],
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
