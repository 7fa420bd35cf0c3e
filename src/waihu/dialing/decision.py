"""What one step decided: records to commit, commands to run after that, and when to be woken."""

from dataclasses import dataclass, field

from waihu.dialing.commands import Command
from waihu.dialing.records import Record
from waihu.domain.ids import Instant


@dataclass(slots=True)
class Decision:
    """`wake_at`: send TimePassed then, unless another event comes first. None: nothing happens by itself."""

    records: list[Record] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    wake_at: Instant | None = None
