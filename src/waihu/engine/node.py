"""One engine process: joins the store, runs until told to stop, and leaves nothing behind."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import structlog

from waihu.dialing.dialer import Dialer
from waihu.dialing.events import CampaignStopped
from waihu.engine.calls import Calls
from waihu.engine.clock import SteadyClock
from waihu.engine.leases import Leases
from waihu.engine.recovery import Recovery
from waihu.engine.shell import Shell
from waihu.engine.watch import Watch
from waihu.ports.carrier import Carrier, SwitchDown, SwitchUp, TrunkStatus
from waihu.ports.conversation import Conversation
from waihu.ports.dialing_store import DialingStore, StoreUnavailable

log = structlog.get_logger()

JOIN_RETRY_S = 1.0


async def run_engine(
    *,
    name: str,
    store: DialingStore,
    carrier: Carrier,
    conversation: Conversation,
    recordings: Path,
    stop: asyncio.Event,
    drain_s: float = 5.0,
) -> None:
    """Runs one engine until `stop`; then starts no call, lets those in progress end for `drain_s`, and leaves.

    `name` is this process's place: a new process of the same name takes over from the one before it. Raises
    NodeBuried when other engines have declared it dead; the supervisor starts a new one.
    """
    clock = SteadyClock()
    while True:
        try:
            node = await store.join(name, clock.now())
            break
        except StoreUnavailable as reason:
            log.warning("engine waits for the store", reason=str(reason))
            await asyncio.sleep(JOIN_RETRY_S)
    dialer = Dialer()
    async with asyncio.TaskGroup() as tasks:

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            return tasks.create_task(work)

        shell = Shell(dialer, store, node, clock, spawn)
        leases = Leases(dialer, store, node, clock, shell.feed)
        watch = Watch(dialer, store, carrier, leases, shell.feed)
        recovery = Recovery(store, carrier, node, clock)
        shell.calls = calls = Calls(
            carrier=carrier,
            conversation=conversation,
            store=store,
            clock=clock,
            recordings=recordings,
            caller_id=watch.caller_id,
            feed=shell.feed,
            spawn=spawn,
        )
        watching = spawn(watch.run())
        others = [
            spawn(work)
            for work in (
                shell.run(),
                _listen(carrier, calls, watch, dialer),
                leases.run(),
                recovery.run(),
                recovery.beat(),
            )
        ]
        log.info("engine runs", node=node, name=name)
        await stop.wait()
        watching.cancel()
        for campaign in dialer.campaigns():
            shell.feed(CampaignStopped(campaign))
        await _drain(dialer, calls, drain_s)
        await shell.settled()
        for task in others:
            task.cancel()
    try:
        await store.leave(node, clock.now())
    except StoreUnavailable as reason:
        log.warning("engine left without saying so, others will bury it", reason=str(reason))
    log.info("engine stopped", node=node)


async def _listen(carrier: Carrier, calls: Calls, watch: Watch, dialer: Dialer) -> None:
    async for event in carrier.events():
        match event:
            case SwitchUp():
                await watch.switch_up()
                await calls.check(dialer.live())
            case SwitchDown():
                await watch.switch_down(event.reason)
            case TrunkStatus():
                await watch.trunk_status(event)
            case _:
                calls.heard(event)


async def _drain(dialer: Dialer, calls: Calls, drain_s: float) -> None:
    """Waits for the calls in progress, hangs up what is left, and waits for that."""
    for patience_s in (drain_s, drain_s):
        try:
            async with asyncio.timeout(patience_s):
                while dialer.live():  # noqa: ASYNC110 (the core is pure: it has nothing to wait on)
                    await asyncio.sleep(0.05)
                return
        except TimeoutError:
            await calls.hang_up_all()
