"""The dialing store: what the engine reads and commits. The truth is there; the core's memory is a copy.

Implemented by `adapters/postgres/dialing_store.py` and, for the simulator's virtual worlds, by
`simulator/store.py`. One suite (`tests/engine/test_dialing_store.py`) runs over both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waihu.dialing.events import AttemptRefused, ContactsClaimed
from waihu.dialing.records import Record
from waihu.dialing.resources import Resource
from waihu.domain.campaign import CampaignPlan
from waihu.domain.ids import AttemptId, CampaignId, Instant, NodeId, TrunkId
from waihu.ports.carrier import Trunk


class StoreUnavailable(Exception):
    """The store could not be reached or the connection broke: a commit may or may not have happened."""


class NodeBuried(Exception):
    """Other engines have declared this node dead: its calls are accounted for, it must not go on."""


@dataclass(frozen=True, slots=True)
class TrunkLimits:
    trunk: Trunk
    channels_max: int
    cps_max: float


@dataclass(frozen=True, slots=True)
class World:
    """What runs, and over which trunks, as the store has it now. A campaign's `arrivals` rise when contacts come into
    it, or are to be called anew.
    """

    plans: Sequence[CampaignPlan]
    trunks: Sequence[TrunkLimits]
    arrivals: Mapping[CampaignId, int]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who talks: an agent, in one of its versions."""

    agent: int
    version: int


@dataclass(frozen=True, slots=True)
class CallSheet:
    """What talking to one contact needs: the agent's script and the contact's variables.

    From `good_until` on another agent may be due, and the sheet has to be asked for again; None: it stays good.
    """

    attempt: AttemptId
    speaker: Speaker
    script: Mapping[str, object]
    variables: Mapping[str, str]
    caller_id: str | None
    good_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str
    text: str
    at_ms: int
    dtmf: str | None = None


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt that a node planned and never closed."""

    attempt: AttemptId
    node: NodeId
    answered: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """What a node keeps of a resource in any case, and how much more it would use."""

    resource: Resource
    in_use: int
    want: int


@dataclass(frozen=True, slots=True)
class Grant:
    resource: Resource
    channels: int
    cps: float | None


class DialingStore(Protocol):
    """All methods raise StoreUnavailable when the store cannot be reached."""

    async def join(self, name: str, now: Instant) -> NodeId:
        """Registers this engine process; every start is a new node.

        Earlier nodes of the same name are over: this process has replaced them.
        """
        ...

    async def beat(self, node: NodeId, now: Instant) -> None:
        """Says that the node lives. Raises NodeBuried."""
        ...

    async def leave(self, node: NodeId, now: Instant) -> None:
        """Gives back unplanned contacts and all leases; the node has no open attempts."""
        ...

    async def world(self) -> World: ...

    async def claim(
        self, node: NodeId, campaign: CampaignId, count: int, new_first: bool, now: Instant
    ) -> ContactsClaimed:
        """Up to `count` due contacts, now owned by `node`."""
        ...

    async def commit(self, node: NodeId, records: Sequence[Record], now: Instant) -> Sequence[AttemptRefused]:
        """Commits records in order, all in one transaction, except plans it refuses.

        A plan is refused when its number is on the do-not-call list, its phone has reached the daily cap,
        its campaign does not run, or the contact is not this node's. Committing the same records again
        changes nothing (an unsure commit is simply repeated).
        """
        ...

    async def renew(
        self, node: NodeId, sequence: int, demands: Sequence[Demand], ttl_ms: int, drain_ms: int
    ) -> Sequence[Grant]:
        """Renews this node's capacity leases. Sum over all nodes never exceeds a resource's limits."""
        ...

    async def sheet(self, attempt: AttemptId, now: Instant) -> CallSheet | None:
        """As it is for a call that is answered `now`."""
        ...

    async def save_trunk_status(self, trunk: TrunkId, up: bool, detail: str) -> None: ...

    async def save_talk(
        self, attempt: AttemptId, turns: Sequence[Turn], recording: str | None, speaker: Speaker | None
    ) -> None:
        """What is None was stored before, or is not known."""
        ...

    async def orphans(self, node: NodeId, now: Instant, silent_ms: int) -> Sequence[OpenAttempt]:
        """Open attempts of nodes that ended, or have not beaten for `silent_ms`."""
        ...

    async def bury(
        self, node: NodeId, attempts: Sequence[AttemptId], silent_ms: int, now: Instant, *, reserve_ms: int = 0
    ) -> None:
        """Closes orphans as `unknown` (answered ones as `answered`), frees what dead nodes had claimed.

        Their channels stay reserved for `reserve_ms`: a carrier may still hold their calls.
        """
        ...
