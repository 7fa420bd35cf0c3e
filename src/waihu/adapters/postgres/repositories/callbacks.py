"""What is still to be told to receivers (`ports/callbacks.py`), by the statements of `callbacks.sql`."""

from collections.abc import Mapping, Sequence, Set
from itertools import groupby

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.queries import load
from waihu.adapters.postgres.repositories.statements import Values, page
from waihu.adapters.postgres.repositories.values import as_uuid, instant, moment
from waihu.domain.ids import AccountId, CampaignId, Instant
from waihu.ports.callbacks import (
    ADDRESS_KINDS,
    BatchNote,
    Blackout,
    Callback,
    CallbackAddress,
    CallbackLook,
    CallbackState,
    Delivered,
    Failed,
    Kind,
    Note,
    NumberBatch,
    NumbersChange,
    Push,
    Room,
)
from waihu.ports.rows import Page, Paging

SQL = load("callbacks.sql")

_BATCHED = [Kind.CALL_FINISHED]
"""Kinds of which one push tells many."""

_IN_STATE: Mapping[CallbackState, str] = {
    CallbackState.WAITING: "delivered_at is null and given_up_at is null",
    CallbackState.DELIVERED: "delivered_at is not null",
    CallbackState.GIVEN_UP: "given_up_at is not null",
}

_READ = """
    select c.id, c.event_id, c.kind, c.url, c.tries, c.last_answer, c.due_at, c.delivered_at, c.given_up_at,
        c.created_at
    from callback c
"""


async def keep_batch(connection: Connection, campaign: CampaignId, note: BatchNote, numbers: Sequence[str]) -> None:
    """Inside the transaction in which the numbers change."""
    await SQL["keep_batch"].run(
        connection,
        batch=note.batch,
        campaign=campaign,
        change=note.change,
        numbers=numbers,
        is_kept=note.is_kept,
        now=moment(note.at),
    )
    if note.is_told:
        await SQL["tell_batch"].run(connection, batch=note.batch, now=moment(note.at))


class CallbackRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, account: AccountId, kind: Kind, body: Mapping[str, str], now: Instant) -> None:
        await SQL["add"].run(self._connection, account=account, kind=kind, body=body, now=moment(now))

    async def tell_batch(self, batch: str, now: Instant) -> None:
        await SQL["tell_batch"].run(self._connection, batch=batch, now=moment(now))

    async def address(self, account: AccountId) -> CallbackAddress:
        row = await SQL["address"].row(self._connection, account=account)
        assert row is not None, "the account was looked up before"
        kinds = ADDRESS_KINDS if row["kinds"] is None else frozenset(map(Kind, row["kinds"]))
        return CallbackAddress(row["own"], row["inherited"], row["has_secret"], kinds)

    async def set_address(
        self, account: AccountId, url: str | None, secret: str | None, kinds: Set[Kind], now: Instant
    ) -> None:
        before = (await self.address(account)).own
        await self._connection.execute(
            """update account set callback_url = $2, callback_secret = coalesce($3, callback_secret),
                   callback_kinds = $4, updated_at = $5
               where id = $1""",
            account,
            url,
            secret,
            None if kinds == ADDRESS_KINDS else sorted(kinds),
            moment(now),
        )
        if before is not None and before != url:
            await SQL["keep_event"].run(self._connection, account=account, url=before)
            await SQL["forward"].run(self._connection, account=account, url=before, now=moment(now))
        await SQL["leave_out"].run(self._connection, account=account, now=moment(now))

    async def take(
        self,
        sender: int,
        busy: Sequence[str],
        room: Room,
        *,
        batch_max: int,
        now: Instant,
        leased_until: Instant,
    ) -> Sequence[Push]:
        taken = await SQL["take"].rows(
            self._connection,
            sender=sender,
            busy=busy,
            sound_max=room.sound,
            failing_max=room.failing,
            batch_max=batch_max,
            batched=_BATCHED,
            now=moment(now),
            leased_until=moment(leased_until),
        )
        return [_push(list(group)) for _, group in groupby(taken, key=lambda row: row["receiver"])]

    async def note(self, notes: Sequence[Note]) -> None:
        if delivered := [note for note in notes if isinstance(note, Delivered)]:
            await self._note_delivered(delivered)
        for note in sorted(
            (note for note in notes if isinstance(note, Failed)), key=lambda failed: failed.push.receiver
        ):
            await self._note_failed(note)

    async def _note_delivered(self, notes: Sequence[Delivered]) -> None:
        told = [(each.id, note) for note in notes for each in note.push.callbacks]
        await SQL["delivered"].run(
            self._connection,
            callbacks=[callback for callback, _ in told],
            events=[note.push.event for _, note in told],
            answers=[note.answer for _, note in told],
            ats=[moment(note.at) for _, note in told],
            receivers=[note.push.receiver for note in notes],
            turns=[note.push.turn for note in notes],
        )

    async def _note_failed(self, note: Failed) -> None:
        await SQL["failed"].run(
            self._connection,
            receiver=note.push.receiver,
            turn=note.push.turn,
            event=note.push.event,
            callbacks=[callback.id for callback in note.push.callbacks],
            answer=note.answer,
            at=moment(note.at),
            due_at=moment(note.due_at),
            rests_until=moment(note.rests_until),
            is_blacklisted=note.is_blacklisted,
        )
        if note.due_at is None:
            await SQL["give_up"].run(
                self._connection,
                receiver=note.push.receiver,
                since_max=moment(note.since_max),
                at=moment(note.at),
            )

    async def forget(self, before: Instant, most: int) -> int:
        gone = await SQL["forget"].rows(self._connection, before=moment(before), most=most)
        await SQL["forget_batches"].run(self._connection, before=moment(before), most=most)
        await SQL["forget_blackouts"].run(self._connection, before=moment(before))
        return len(gone)

    async def page(self, account: AccountId, state: CallbackState | None, paging: Paging) -> Page[CallbackLook]:
        values = Values()
        found, total = await page(
            self._connection,
            _READ,
            table="callback",
            key="c.id",
            conditions=[f"account_id = {values.place(account)}", *([] if state is None else [_IN_STATE[state]])],
            order="id desc",
            paging=paging,
            values=values,
        )
        return Page(tuple(map(_look, found)), total)

    async def redeliver(self, account: AccountId, callback: int, now: Instant) -> int:
        return await self._redeliver(await SQL["meant"].rows(self._connection, callback=callback, account=account), now)

    async def redeliver_given_up(self, account: AccountId, now: Instant) -> int:
        return await self._redeliver(await SQL["meant_given_up"].rows(self._connection, account=account), now)

    async def blackouts(self, partner: str, account: AccountId | None) -> Sequence[Blackout]:
        found = await self._connection.fetch(
            """select b.id, b.account_id, b.url, b.blackout_at, b.release_at, b.created_at, b.updated_at
               from callback_blacklist b join account a on a.id = b.account_id
               where a.partner_id = $1 and ($2::uuid is null or $2 in (a.id, a.parent_id))
               order by b.blackout_at desc, b.id""",
            partner,
            account,
        )
        return list(map(_blackout, found))

    async def batch(self, batch: str) -> NumberBatch | None:
        parts = await self._connection.fetch(
            """select id, account_id, campaign_id, change, numbers, created_at from number_batch
               where id = $1 order by part""",
            as_uuid(batch),
        )
        if not parts:
            return None
        return NumberBatch(
            id=str(parts[0]["id"]),
            account=AccountId(str(parts[0]["account_id"])),
            campaign=CampaignId(str(parts[0]["campaign_id"])),
            change=NumbersChange(parts[0]["change"]),
            numbers=tuple(number for part in parts for number in part["numbers"]),
            created_at=instant(parts[0]["created_at"]),
        )

    async def _redeliver(self, meant: Sequence[Record], now: Instant) -> int:
        await SQL["redeliver"].run(self._connection, callbacks=[row["id"] for row in meant], now=moment(now))
        return len(meant)


def _push(taken: Sequence[Record]) -> Push:
    first = taken[0]
    return Push(
        receiver=str(first["receiver"]),
        turn=first["turn"],
        account=AccountId(str(first["owner_id"])),
        url=first["url"],
        secret=first["secret"],
        event=str(first["event_id"]),
        failures=first["failures"],
        callbacks=tuple(
            Callback(
                id=row["id"],
                account=AccountId(str(row["account_id"])),
                kind=Kind(row["kind"]),
                body=row["body"],
                tries=row["tries"],
                since=instant(row["since"]),
            )
            for row in taken
        ),
    )


def _look(row: Record) -> CallbackLook:
    if row["delivered_at"] is not None:
        state = CallbackState.DELIVERED
    else:
        state = CallbackState.WAITING if row["given_up_at"] is None else CallbackState.GIVEN_UP
    return CallbackLook(
        id=row["id"],
        event=None if row["event_id"] is None else str(row["event_id"]),
        kind=Kind(row["kind"]),
        url=row["url"],
        state=state,
        tries=row["tries"],
        last_answer=row["last_answer"],
        due_at=instant(row["due_at"]),
        delivered_at=instant(row["delivered_at"]),
        given_up_at=instant(row["given_up_at"]),
        created_at=instant(row["created_at"]),
    )


def _blackout(row: Record) -> Blackout:
    return Blackout(
        id=str(row["id"]),
        account=AccountId(str(row["account_id"])),
        url=row["url"],
        began_at=instant(row["blackout_at"]),
        ends_at=instant(row["release_at"]),
        created_at=instant(row["created_at"]),
        updated_at=instant(row["updated_at"]),
    )
