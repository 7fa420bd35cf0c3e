"""How a receiver knows that a push is ours: the headers of the Standard Webhooks specification.

Signed is `id.timestamp.body`, with HMAC-SHA256. A receiver may ignore it.
"""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256
from secrets import token_bytes

from waihu.domain.ids import Instant

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return _PREFIX + b64encode(token_bytes(_SECRET_BYTES)).decode()


def push_headers(event: str, body: bytes, secret: str | None, now: Instant) -> dict[str, str]:
    """The headers of one try. The event is that of the push, the time is that of the try."""
    timestamp = str(now // 1000)
    headers = {"x-waihu-event": event, "webhook-id": event, "webhook-timestamp": timestamp}
    if secret is not None:
        signed = b".".join((event.encode(), timestamp.encode(), body))
        digest = hmac.digest(b64decode(secret.removeprefix(_PREFIX)), signed, sha256)
        headers["webhook-signature"] = f"v1,{b64encode(digest).decode()}"
    return headers
