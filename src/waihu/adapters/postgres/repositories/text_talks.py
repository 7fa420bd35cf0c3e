"""Dialogues by text that are under way."""

from waihu.adapters.postgres.pool import Connection
from waihu.adapters.postgres.repositories.values import moment
from waihu.domain.ids import AccountId, Instant
from waihu.ports.text_talks import TextTalk


class TextTalkRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save(self, talk: TextTalk, now: Instant) -> None:
        await self._connection.execute(
            """insert into text_talk (account_id, talk_id, agent_id, agent_version, listens, updated_at)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (account_id, talk_id) do update
               set agent_id = excluded.agent_id, agent_version = excluded.agent_version, listens = excluded.listens,
                   updated_at = excluded.updated_at""",
            talk.account,
            talk.id,
            talk.agent,
            talk.version,
            talk.listens,
            moment(now),
        )

    async def get(self, account: AccountId, talk: str) -> TextTalk | None:
        row = await self._connection.fetchrow(
            """select t.talk_id, t.listens, v.agent_id, v.version, v.definition
               from text_talk t join agent_version v on v.agent_id = t.agent_id and v.version = t.agent_version
               where t.account_id = $1 and t.talk_id = $2 for update of t""",
            account,
            talk,
        )
        if row is None:
            return None
        return TextTalk(account, row["talk_id"], row["agent_id"], row["version"], row["definition"], row["listens"])

    async def remove(self, account: AccountId, talk: str) -> bool:
        removed = await self._connection.fetchval(
            "delete from text_talk where account_id = $1 and talk_id = $2 returning true", account, talk
        )
        return bool(removed)

    async def forget(self, before: Instant) -> None:
        await self._connection.execute("delete from text_talk where updated_at < $1", moment(before))
