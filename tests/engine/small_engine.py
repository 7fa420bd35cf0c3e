"""The engine's loop with calls on a switch of the test's own; leases and the watch are played by the test."""

import asyncio
from pathlib import Path

from waihu.adapters.speech.scripted import ScriptedConversation
from waihu.adapters.speech.sounds import SoundStore
from waihu.dialing.dialer import Dialer
from waihu.domain.ids import NodeId
from waihu.engine.calls import Calls
from waihu.engine.clock import SteadyClock
from waihu.engine.shell import Shell
from waihu.ports.carrier import Carrier
from waihu.ports.dialing_store import DialingStore


class SmallEngine:
    """Its tasks are `tasks`; `directory` holds recordings and speech."""

    def __init__(
        self, store: DialingStore, node: NodeId, switch: Carrier, tasks: asyncio.TaskGroup, directory: Path
    ) -> None:
        self.clock = SteadyClock()
        self.dialer = Dialer()
        self.shell = Shell(self.dialer, store, node, self.clock, tasks.create_task)
        self.calls = self.shell.calls = Calls(
            carrier=switch,
            conversation=ScriptedConversation(SoundStore(directory / "speech")),
            store=store,
            clock=self.clock,
            recordings=directory,
            caller_id=lambda _: None,
            feed=self.shell.feed,
            spawn=tasks.create_task,
        )
        self.running = tasks.create_task(self.shell.run())
