"""Accounts as the people behind them see them, and their login tickets."""

from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import Any

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.rows import Page, Paging
from waihu.ports.users import Profile, Sex, User, UserFilter

_COLUMNS = "id, partner_id, parent_id, name, email, phone, profile, created_at, updated_at"

_CHOSEN = """
    partner_id = $1 and parent_id is not distinct from $2 and deleted_at is null
    and ($3 is false or id = $4)
    and strpos(lower(name), lower($5)) > 0
    and strpos(lower(coalesce(email, '')), lower($6)) > 0
    and strpos(coalesce(phone, ''), $7) > 0
"""

_TAKEN = """
    select coalesce(bool_or(name = $2), false) as name, coalesce(bool_or(lower(email) = lower($3)), false) as email,
        coalesce(bool_or(phone = $4), false) as phone
    from account where partner_id = $1 and deleted_at is null and id is distinct from $5
"""


class UserRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, account: AccountId) -> User | None:
        row = await self._connection.fetchrow(
            f"select {_COLUMNS} from account where id = $1 and deleted_at is null", account
        )
        return None if row is None else _user(row)

    async def page(self, chosen: UserFilter, paging: Paging) -> Page[User]:
        values = (
            chosen.partner,
            chosen.parent,
            chosen.id is not None,
            None if chosen.id is None else as_uuid(chosen.id),
            chosen.name_part or "",
            chosen.email_part or "",
            chosen.phone_part or "",
        )
        found = await self._connection.fetch(
            f"select {_COLUMNS} from account where {_CHOSEN} order by created_at desc, id desc limit $8 offset $9",
            *values,
            paging.size,
            paging.offset,
        )
        total = await self._connection.fetchval(f"select count(*) from account where {_CHOSEN}", *values)
        return Page(tuple(_user(row) for row in found), total)

    async def taken(
        self, partner: str, name: str, email: str | None, phone: str | None, *, leaving_out: AccountId | None
    ) -> Set[str]:
        await self._connection.execute("select from partner where id = $1 for no key update", partner)
        row = await self._connection.fetchrow(_TAKEN, partner, name, email, phone, leaving_out)
        assert row is not None
        return {field for field, is_taken in row.items() if is_taken}

    async def change(self, user: User, now: Instant) -> None:
        await self._connection.execute(
            "update account set name = $2, email = $3, phone = $4, profile = $5, updated_at = $6 where id = $1",
            user.id,
            user.name,
            user.email,
            user.phone,
            _profile_to_json(user.profile),
            moment(now),
        )

    async def set_password_hash(self, account: AccountId, password_hash: str, now: Instant) -> None:
        await self._connection.execute(
            "update account set password_hash = $2, updated_at = $3 where id = $1", account, password_hash, moment(now)
        )

    async def remove(self, accounts: Sequence[AccountId], now: Instant) -> None:
        await self._connection.execute(
            "update account set deleted_at = $2 where id = any($1) and deleted_at is null", accounts, moment(now)
        )


class LoginTicketRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, ticket: str, account: AccountId, expires_at: Instant) -> None:
        await self._connection.execute(
            "insert into login_ticket (id, account_id, expires_at) values ($1, $2, $3)",
            ticket,
            account,
            moment(expires_at),
        )

    async def use(self, ticket: str, now: Instant) -> AccountId | None:
        # One statement, so that of two who come with it at the same time one is let in.
        account = await self._connection.fetchval(
            """update login_ticket t set used_at = $2 from account a
               where t.id = $1 and t.used_at is null and t.expires_at > $2 and a.id = t.account_id
                   and a.deleted_at is null
               returning t.account_id""",
            as_uuid(ticket),
            moment(now),
        )
        return None if account is None else AccountId(str(account))

    async def forget(self, expired_before: Instant) -> None:
        await self._connection.execute("delete from login_ticket where expires_at < $1", moment(expired_before))


def _user(row: Record) -> User:
    return User(
        id=AccountId(str(row["id"])),
        partner=str(row["partner_id"]),
        parent=None if row["parent_id"] is None else AccountId(str(row["parent_id"])),
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        profile=_profile_from_json(row["profile"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )


def _profile_to_json(profile: Profile) -> dict[str, object]:
    kept = {
        "alias": profile.alias,
        "birthday": None if profile.birthday is None else profile.birthday.isoformat(),
        "duty": profile.duty,
        "wechat": profile.wechat,
        "qq": profile.qq,
        "landline_phone": profile.landline_phone,
        "sex": profile.sex.value,
    }
    return {name: value for name, value in kept.items() if value is not None}


def _profile_from_json(kept: Mapping[str, Any]) -> Profile:
    birthday = kept.get("birthday")
    return Profile(
        alias=kept.get("alias"),
        birthday=None if birthday is None else date.fromisoformat(birthday),
        duty=kept.get("duty"),
        wechat=kept.get("wechat"),
        qq=kept.get("qq"),
        landline_phone=kept.get("landline_phone"),
        sex=Sex(kept.get("sex", Sex.UNKNOWN)),
    )
