"""A sender of callbacks, as the API process has it, that goes one round at a time."""

from dataclasses import dataclass

from waihu.adapters.postgres.pool import Pool
from waihu.adapters.webhooks.sender import WebhookSender
from waihu.application.callback_sending import CallbackSending
from waihu.application.services import Application
from waihu.faces import agent_api


@dataclass
class Sender:
    application: Application
    sending: CallbackSending
    receiver: WebhookSender
    number: int
    database_url: str

    async def send(self) -> int:
        """How many pushes that were."""
        words = agent_api.callback_words(self.application)
        return await self.sending.send_due(self.number, self.receiver, words)

    async def send_all(self) -> int:
        sent = 0
        while more := await self.send():
            sent += more
        return sent

    def url_of(self, database: str) -> str:
        """Another database on the same server."""
        return self.database_url.rpartition("/")[0] + f"/{database}"


async def entered(pool: Pool) -> int:
    """The number of a sender that the others believe alive."""
    number: int = await pool.fetchval(
        "insert into callback_sender (name, server_life) values ('test', '') returning id"
    )
    return number
