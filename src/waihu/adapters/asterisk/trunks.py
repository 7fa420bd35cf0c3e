"""The trunks at the switch: pushed as SIP objects while it runs, and asked how they are."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from waihu.adapters.asterisk import events as wire
from waihu.adapters.asterisk.ari import Ari, AriRefused, AriUnreachable
from waihu.adapters.asterisk.switch import INBOUND_CONTEXT, TRANSPORT
from waihu.domain.ids import TrunkId
from waihu.ports.carrier import CarrierUnavailable, Trunk, TrunkStatus

_NAME_PREFIX = "trunk-"
_KINDS = ("auth", "aor", "endpoint", "identify", "registration")
_REGISTERED = "Registered"


def object_name(trunk: TrunkId) -> str:
    """The name that all of a trunk's objects have, and its endpoint in dial strings."""
    if not re.fullmatch(r"[\w.-]+", trunk, flags=re.ASCII):
        raise ValueError(f"a trunk id is made of letters, digits, dot, dash and underscore, not {trunk!r}")
    return _NAME_PREFIX + trunk


class SwitchTrunks:
    """What this engine has given to the switch. Every method raises CarrierUnavailable unless it says otherwise."""

    def __init__(self, ari: Ari, qualify_interval_s: int) -> None:
        self._ari = ari
        self._qualify_interval_s = qualify_interval_s
        self._given: dict[TrunkId, Trunk] = {}
        self._told: dict[TrunkId, TrunkStatus] = {}
        self._changes = asyncio.Lock()

    def forget(self) -> None:
        """The switch may have been started anew, and a fresh one knows no trunk."""
        self._given.clear()
        self._told.clear()

    async def set(self, trunk: Trunk) -> None:
        """Adds or replaces a trunk; one that is there already, just so, is left alone."""
        async with self._changes:
            if self._given.get(trunk.id) == trunk:
                return
            # A change is a removal and an addition, because lists in an existing object would grow.
            await self._remove_objects(trunk.id)
            for item in _sip_objects(trunk, self._qualify_interval_s):
                fields = [{"attribute": key, "value": value} for key, value in item.fields.items()]
                await self._configure("PUT", item.kind, trunk.id, {"fields": fields})
            self._given[trunk.id] = trunk

    async def remove(self, trunk: TrunkId) -> None:
        async with self._changes:
            await self._remove_objects(trunk)

    async def settled(self, trunk: TrunkId) -> Trunk | None:
        """The trunk as given. Waits while trunks are being replaced: for a moment one is not there. Raises nothing."""
        async with self._changes:
            return self._given.get(trunk)

    async def status(self, trunk: TrunkId) -> TrunkStatus:
        try:
            return await self._status(trunk, await self._registrations())
        except (AriRefused, AriUnreachable) as failure:
            raise CarrierUnavailable(str(failure)) from failure

    async def changed_registrations(self) -> list[TrunkStatus]:
        """Registering trunks whose state is not the one told last. Raises nothing."""
        return await self._changed([trunk.id for trunk in self._given.values() if trunk.register])

    async def changed_contact(self, name: str) -> list[TrunkStatus]:
        """The same for the trunk whose objects have this name."""
        trunk = TrunkId(name.removeprefix(_NAME_PREFIX))
        return await self._changed([trunk] if trunk in self._given else [])

    async def _changed(self, trunks: list[TrunkId]) -> list[TrunkStatus]:
        if not trunks:
            return []
        try:
            registrations = await self._registrations()
            states = [await self._status(trunk, registrations) for trunk in trunks]
        except (AriRefused, AriUnreachable):
            # A broken connection comes as an event of its own; after anything else the next look will tell.
            return []
        changed = [status for status in states if self._told.get(status.trunk) != status]
        self._told.update((status.trunk, status) for status in changed)
        return changed

    async def _status(self, trunk: TrunkId, registrations: dict[TrunkId, str]) -> TrunkStatus:
        try:
            answer = await self._ari.request("GET", "endpoints", "PJSIP", object_name(trunk))
        except AriRefused as refusal:
            if refusal.status != 404:
                raise
            return TrunkStatus(trunk, False, "the switch does not know this trunk")
        registration = registrations.get(trunk)
        if registration not in (None, _REGISTERED):
            return TrunkStatus(trunk, False, f"registration: {registration}")
        if msgspec.json.decode(answer, type=wire.Endpoint).state != "online":
            return TrunkStatus(trunk, False, "no answer to OPTIONS")
        return TrunkStatus(trunk, True, "answers OPTIONS" if registration is None else "registered")

    async def _registrations(self) -> dict[TrunkId, str]:
        """The state of every registration, for example `Registered` or `Rejected`."""
        # Most installations register nowhere, and need not be asked.
        if not any(trunk.register for trunk in self._given.values()):
            return {}
        return _registration_states(await self._ari.manager("PJSIPShowRegistrationsOutbound"))

    async def _remove_objects(self, trunk: TrunkId) -> None:
        self._given.pop(trunk, None)
        self._told.pop(trunk, None)
        for kind in reversed(_KINDS):
            await self._configure("DELETE", kind, trunk, None)

    async def _configure(self, method: str, kind: str, trunk: TrunkId, body: object) -> None:
        path = ("asterisk", "config", "dynamic", "res_pjsip", kind, object_name(trunk))
        try:
            await self._ari.request(method, *path, body=body)
        except AriUnreachable as failure:
            raise CarrierUnavailable(str(failure)) from failure
        except AriRefused as refusal:
            if (method, refusal.status) != ("DELETE", 404):
                raise CarrierUnavailable(f"the switch refused the trunk's {kind}: {refusal}") from refusal


@dataclass(frozen=True, slots=True)
class _SipObject:
    kind: str
    fields: dict[str, str]


def _sip_objects(trunk: Trunk, qualify_interval_s: int) -> Iterable[_SipObject]:
    """The trunk's objects in the order in which they may be created."""
    name = object_name(trunk.id)
    # An IPv6 address must be written in brackets inside a URI.
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    uri = f"sip:{host}:{trunk.port}"
    endpoint = {
        "transport": TRANSPORT,
        "context": INBOUND_CONTEXT,
        "disallow": "all",
        "allow": "alaw,ulaw",
        "aors": name,
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "dtmf_mode": "rfc4733",
        # While nobody speaks Asterisk sends nothing, and many carriers end a call whose audio has stopped.
        "rtp_keepalive": "5",
        "send_pai": "yes",
        "trust_id_outbound": "yes",
        # Many carriers mishandle session timers, and our calls are short.
        "timers": "no",
        # A bridge would otherwise send a re-INVITE, and a carrier that ignores it loses the call.
        "send_connected_line": "no",
    }
    if trunk.username is not None:
        endpoint |= {"outbound_auth": name, "from_domain": trunk.host}
        auth = {"auth_type": "digest", "username": trunk.username, "password": trunk.password or ""}
        yield _SipObject("auth", auth)
    yield _SipObject("aor", {"contact": uri, "qualify_frequency": str(qualify_interval_s)})
    yield _SipObject("endpoint", endpoint)
    # Lets the carrier's own OPTIONS be answered; its calls end in the inbound context.
    yield _SipObject("identify", {"endpoint": name, "match": trunk.host})
    if trunk.register:
        if trunk.username is None:
            raise ValueError("a trunk that registers needs a user name")
        yield _SipObject("registration", _registration(trunk, name, uri, host))


def _registration(trunk: Trunk, name: str, uri: str, host: str) -> dict[str, str]:
    assert trunk.username is not None
    return {
        "transport": TRANSPORT,
        "server_uri": uri,
        "client_uri": f"sip:{trunk.username}@{host}:{trunk.port}",
        "contact_user": trunk.username,
        "outbound_auth": name,
        # The default is to wait up to ten seconds, lest many registrations go out at once after a start.
        "max_random_initial_delay": "0",
        # It never gives up: a refusal may be a passing fault, and a person may mend the account.
        "max_retries": "1000000",
        "auth_rejection_permanent": "no",
        "retry_interval": "30",
        "forbidden_retry_interval": "60",
        "fatal_retry_interval": "60",
    }


def _registration_states(manager_answer: str) -> dict[TrunkId, str]:
    states: dict[TrunkId, str] = {}
    for block in manager_answer.split("\r\n\r\n"):
        fields = dict(re.findall(r"^(\w+): (.*?)\r?$", block, flags=re.MULTILINE))
        if fields.get("Event") == "OutboundRegistrationDetail":
            states[TrunkId(fields["ObjectName"].removeprefix(_NAME_PREFIX))] = fields["Status"]
    return states
