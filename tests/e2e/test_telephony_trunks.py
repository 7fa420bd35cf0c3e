"""Trunks come, change and go while the switch runs; limits and accounts are the carrier's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from telephony import Caller, caller_at, loopback_address, trunk_to

from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.adapters.asterisk.carrier_box import CarrierBox, CarrierBoxSettings
from waihu.adapters.asterisk.carrier_log import max_concurrent, max_invites_in_window
from waihu.adapters.asterisk.instance import AsteriskInstance
from waihu.adapters.asterisk.runtime import AsteriskPrefix
from waihu.domain.ids import TrunkId
from waihu.ports.carrier import NotPlaced, SwitchDown, SwitchUp, TrunkStatus

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def box_with(asterisk: AsteriskPrefix, directory: Path, **settings: object) -> AsyncIterator[CarrierBox]:
    box = CarrierBox(asterisk, CarrierBoxSettings(directory=directory, address=loopback_address(), **settings))
    await box.start()
    try:
        yield box
    finally:
        await box.stop()


async def test_a_trunk_is_added_changed_and_removed_while_calls_go_on(
    caller: Caller, box: CarrierBox, switch: AsteriskInstance, asterisk: AsteriskPrefix, tmp_path: Path
) -> None:
    trunk = TrunkId("moving")
    process = switch.pid
    with pytest.raises(NotPlaced):
        await caller.place(Behaviour.BUSY.number(), trunk=trunk)

    async with box_with(asterisk, tmp_path / "b") as other_box:
        await caller.carrier.set_trunk(trunk_to(box, trunk))
        to_first = await caller.place(Behaviour.TALKS.number(), trunk=trunk)
        await caller.answered(to_first)

        await caller.carrier.set_trunk(trunk_to(other_box, trunk))
        to_second = await caller.place(Behaviour.BUSY.number(), trunk=trunk)
        await caller.ended(to_second)
        assert to_first in {call.attempt for call in box.calls()}
        assert [call.attempt for call in other_box.calls()] == [to_second]

        await caller.carrier.remove_trunk(trunk)
        with pytest.raises(NotPlaced):
            await caller.place(Behaviour.BUSY.number(), trunk=trunk)
        assert not (await caller.carrier.trunk_status(trunk)).up

    # Neither the change nor the removal touched the call that was there.
    assert to_first in {call.attempt for call in await caller.carrier.live()}
    await caller.carrier.hang_up(to_first)
    await caller.ended(to_first)
    assert switch.pid == process and switch.exit_status() is None


async def test_a_trunk_is_up_while_it_answers_options(caller: Caller, asterisk: AsteriskPrefix, tmp_path: Path) -> None:
    trunk = TrunkId("mortal")
    async with box_with(asterisk, tmp_path / "b") as box:
        await caller.carrier.set_trunk(trunk_to(box, trunk))
        up = await caller.hears(TrunkStatus, lambda status: status.trunk == trunk and status.up)
        assert await caller.carrier.trunk_status(trunk) == up
    await caller.hears(TrunkStatus, lambda status: status.trunk == trunk and not status.up)
    with pytest.raises(NotPlaced):
        await caller.place(Behaviour.TALKS.number(), trunk=trunk)
    await caller.carrier.remove_trunk(trunk)


async def test_a_trunk_with_an_account_registers_and_calls_with_it(
    caller: Caller, asterisk: AsteriskPrefix, tmp_path: Path
) -> None:
    trunk = TrunkId("account")
    async with box_with(asterisk, tmp_path / "b", accounts={"acme": "correct"}) as box:
        wrong = trunk_to(box, trunk, username="acme", password="wrong", register=True)
        await caller.carrier.set_trunk(wrong)
        down = await caller.hears(TrunkStatus, lambda status: status.trunk == trunk and "Rejected" in status.detail)
        assert not down.up

        await caller.carrier.set_trunk(replace(wrong, password="correct", caller_id="02155550100"))
        up = await caller.hears(TrunkStatus, lambda status: status.trunk == trunk and status.up)
        assert up.detail == "registered"
        attempt = await caller.place(Behaviour.BUSY.number(), trunk=trunk)
        assert (await caller.ended(attempt)).ending.sip_code == 486
        (seen,) = box.calls()
        assert (seen.attempt, seen.caller_id) == (attempt, "02155550100")
        await caller.carrier.remove_trunk(trunk)


async def test_a_box_with_a_channel_limit_refuses_what_is_above_it(
    caller: Caller, asterisk: AsteriskPrefix, tmp_path: Path
) -> None:
    trunk = TrunkId("narrow")
    async with box_with(asterisk, tmp_path / "b", channels_max=2) as box:
        await caller.carrier.set_trunk(trunk_to(box, trunk))
        inside = [await caller.place(Behaviour.TALKS.number(n), trunk=trunk) for n in range(2)]
        for attempt in inside:
            await caller.answered(attempt)
        above = await caller.place(Behaviour.TALKS.number(2), trunk=trunk)
        assert (await caller.ended(above)).ending.sip_code == 503
        for attempt in inside:
            await caller.carrier.hang_up(attempt)
            await caller.ended(attempt)
        await caller.carrier.remove_trunk(trunk)
        assert [call.refused for call in box.calls()] == [False, False, True]
        assert max_concurrent(box.calls()) == 3


async def test_a_box_with_a_rate_limit_refuses_what_is_above_it(
    caller: Caller, asterisk: AsteriskPrefix, tmp_path: Path
) -> None:
    trunk = TrunkId("slow")
    async with box_with(asterisk, tmp_path / "b", calls_per_s_max=5) as box:
        await caller.carrier.set_trunk(trunk_to(box, trunk))
        attempts = []
        for n in range(30):
            attempts.append(await caller.place(Behaviour.BUSY.number(n), trunk=trunk))
            await asyncio.sleep(0.05)
        codes = [(await caller.ended(attempt)).ending.sip_code for attempt in attempts]
        await caller.carrier.remove_trunk(trunk)
        assert codes[:5] == [486] * 5 and codes.count(503) > 0
        accepted = [call for call in box.calls() if not call.refused]
        assert max_invites_in_window(accepted, 1000) == 5


async def test_nothing_is_placed_while_the_switch_is_down_and_trunks_are_given_anew(
    switch: AsteriskInstance, caller: Caller, box: CarrierBox
) -> None:
    told = len(caller.told)
    await switch.stop()
    await caller.hears(SwitchDown, after=told)
    with pytest.raises(NotPlaced):
        await caller.place(Behaviour.BUSY.number())

    await switch.start()
    await caller.hears(SwitchUp, after=told)
    with pytest.raises(NotPlaced):
        await caller.place(Behaviour.BUSY.number())
    await caller.carrier.set_trunk(trunk_to(box))
    await caller.ended(await caller.place(Behaviour.BUSY.number()))


async def test_an_answer_that_nobody_heard_is_told_after_the_connection(
    switch: AsteriskInstance, caller: Caller, telephony_directory: Path
) -> None:
    attempt = await caller.place(Behaviour.TALKS.number())
    await caller.answered(attempt)
    async with caller_at(switch, telephony_directory, application="second") as late:
        await late.answered(attempt)
        await late.carrier.hang_up(attempt)
        assert (await late.ended(attempt)).ending.answered_at is not None
