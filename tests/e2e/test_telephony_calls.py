"""What becomes of calls: every kind of person and network in the carrier box, told through the port `Carrier`."""

import asyncio
import math
import sys
import wave
from array import array
from pathlib import Path

import pytest
import pytest_asyncio
from telephony import TRUNK, Caller, recording_of

from waihu.adapters.asterisk.carrier_behaviour import Behaviour, number_answering_after
from waihu.adapters.asterisk.carrier_box import CarrierBox
from waihu.adapters.asterisk.carrier_sounds import RATE_HZ, tone, write_wav
from waihu.domain.ids import AttemptId
from waihu.domain.outcome import Ending, HungUpBy, Outcome, outcome_of
from waihu.ports.carrier import DtmfPressed, OutboundCall, PlaybackDone, Ringing

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What the carrier says, and what it speaks for.
FAILURES = {
    Behaviour.BUSY: (486, 17, Outcome.BUSY),
    Behaviour.FORBIDS: (403, 21, Outcome.REJECTED),
    Behaviour.DECLINES: (603, 21, Outcome.REJECTED),
    Behaviour.UNKNOWN_NUMBER: (404, 1, Outcome.INVALID_NUMBER),
    Behaviour.UNAVAILABLE: (480, 19, Outcome.UNREACHABLE),
    Behaviour.CONGESTED: (503, 34, Outcome.NETWORK_BUSY),
    Behaviour.POWERED_OFF: (480, 19, Outcome.UNREACHABLE),
    Behaviour.EMPTY_NUMBER: (404, 1, Outcome.INVALID_NUMBER),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def failed_calls(caller: Caller) -> dict[Behaviour, AttemptId]:
    """One call to every kind of refusal, all at once, because announcements take seconds."""
    return {behaviour: await caller.place(behaviour.number(1)) for behaviour in FAILURES}


async def test_our_own_ring_timeout_is_told_apart_from_a_carriers_480(caller: Caller) -> None:
    attempt = await caller.place(Behaviour.RINGS.number(), ring_timeout_s=1)
    ended = await caller.ended(attempt)
    assert ended.ending == Ending(q850=19, timed_out=True)
    assert outcome_of(ended.ending, answered=False) is Outcome.NO_ANSWER
    assert caller.story(attempt) == ["Ringing", "Ended"]


@pytest.mark.parametrize("ringing", [False, True])
async def test_a_call_that_we_cancel_was_refused_by_nobody(ringing: bool, caller: Caller) -> None:
    attempt = await caller.place(Behaviour.RINGS.number())
    if ringing:
        await caller.hears(Ringing, lambda event: event.attempt == attempt)
    await caller.carrier.hang_up(attempt)
    assert (await caller.ended(attempt)).ending == Ending(q850=16, hung_up_by=HungUpBy.AGENT)


async def test_a_late_answer_comes_after_ringing(caller: Caller, box: CarrierBox) -> None:
    attempt = await caller.place(number_answering_after(1))
    answered = await caller.answered(attempt)
    await caller.carrier.hang_up(attempt)
    ended = await caller.ended(attempt)
    assert caller.story(attempt) == ["Ringing", "Answered", "Ended"]
    assert ended.ending == Ending(answered_at=answered.at, q850=16, hung_up_by=HungUpBy.AGENT)
    (seen,) = [call for call in box.calls() if call.attempt == attempt]
    assert seen.answered_at_ms is not None and seen.answered_at_ms - seen.invited_at_ms >= 1000


async def test_a_callee_who_hangs_up_is_told_as_the_one_who_did(caller: Caller) -> None:
    ended = await caller.ended(await caller.place(Behaviour.HANGS_UP.number()))
    assert ended.ending.hung_up_by is HungUpBy.CALLEE
    assert ended.ending.answered_at is not None and ended.ending.sip_code is None


async def test_a_key_pressed_by_the_callee_is_heard(caller: Caller) -> None:
    attempt = await caller.place(Behaviour.PRESSES_ONE.number())
    pressed = await caller.hears(DtmfPressed, lambda event: event.attempt == attempt)
    await caller.carrier.hang_up(attempt)
    assert pressed.digit == "1"


@pytest.mark.parametrize("behaviour", [Behaviour.BUSY_ONCE, Behaviour.RINGS_ONCE])
async def test_the_second_try_of_a_number_may_succeed(behaviour: Behaviour, caller: Caller) -> None:
    first = await caller.place(behaviour.number(7), ring_timeout_s=1)
    assert (await caller.ended(first)).ending.answered_at is None
    second = await caller.place(behaviour.number(7), ring_timeout_s=1)
    await caller.answered(second)
    await caller.carrier.hang_up(second)


async def test_the_recording_has_both_directions(caller: Caller, telephony_directory: Path) -> None:
    # Ours is a tone of 600 Hz, theirs a greeting and then a beep of 1000 Hz.
    sound = telephony_directory / "ours.wav"
    write_wav(sound, tone(frequency_hz=600, length_s=1.0))
    attempt = await caller.place(Behaviour.VOICEMAIL.number())
    await caller.answered(attempt)
    playback = await caller.carrier.play(attempt, sound)
    await caller.hears(PlaybackDone, lambda event: (event.attempt, event.playback) == (attempt, playback))
    # The greeting takes some five seconds, the beep follows.
    await asyncio.sleep(6)
    await caller.carrier.hang_up(attempt)
    await caller.ended(attempt)

    recorded = samples_of(recording_of(attempt, caller.recordings))
    # A loaded machine loses some of it, and none of it must come from anywhere else.
    assert seconds_with_tone(recorded, 600) >= 0.5
    assert seconds_with_tone(recorded, 1000) >= 0.2
    assert seconds_with_tone(recorded, 1700) == 0


async def test_what_is_played_is_heard_by_the_callee(caller: Caller, telephony_directory: Path) -> None:
    sound = telephony_directory / "heard.wav"
    write_wav(sound, tone(frequency_hz=600, length_s=1.0))
    attempt = await caller.place(Behaviour.HEARS.number())
    await caller.answered(attempt)
    await caller.carrier.play(attempt, sound)
    await caller.hears(DtmfPressed, lambda event: event.attempt == attempt)
    await caller.carrier.hang_up(attempt)


async def test_a_sound_for_a_call_that_is_over_is_not_a_failure(caller: Caller, telephony_directory: Path) -> None:
    sound = telephony_directory / "late.wav"
    write_wav(sound, tone(frequency_hz=600, length_s=0.1))
    attempt = await caller.place(Behaviour.BUSY.number())
    await caller.ended(attempt)
    await caller.carrier.play(attempt, sound)
    await caller.carrier.hang_up(attempt)
    assert caller.story(attempt) == ["Ended"]


async def test_placing_an_attempt_twice_makes_one_call(caller: Caller, box: CarrierBox) -> None:
    attempt = await caller.place(Behaviour.TALKS.number())
    again = OutboundCall(
        attempt,
        trunk=TRUNK,
        phone=Behaviour.TALKS.number(),
        caller_id=None,
        ring_timeout_s=5,
        recording=recording_of(attempt, caller.recordings),
    )
    await caller.carrier.place(again)
    await caller.answered(attempt)
    await caller.carrier.hang_up(attempt)
    await caller.ended(attempt)
    assert len([call for call in box.calls() if call.attempt == attempt]) == 1


async def test_live_calls_are_listed_until_they_end(caller: Caller) -> None:
    talking = await caller.place(Behaviour.TALKS.number())
    ringing = await caller.place(Behaviour.RINGS.number())
    await caller.answered(talking)
    live = {call.attempt: call.answered for call in await caller.carrier.live()}
    assert live[talking] and not live[ringing]
    for attempt in (talking, ringing):
        await caller.carrier.hang_up(attempt)
        await caller.ended(attempt)
    assert {talking, ringing}.isdisjoint(call.attempt for call in await caller.carrier.live())


async def test_the_number_shown_to_the_callee_is_the_calls_own(caller: Caller, box: CarrierBox) -> None:
    attempt = await caller.place(Behaviour.BUSY.number(), caller_id="02155550100")
    await caller.ended(attempt)
    (seen,) = [call for call in box.calls() if call.attempt == attempt]
    assert (seen.number, seen.caller_id) == (Behaviour.BUSY.number(), "02155550100")


# Last, because the announcements have been heard to their end by now.


@pytest.mark.parametrize("behaviour", FAILURES, ids=lambda behaviour: behaviour.name.lower())
async def test_a_refusal_keeps_the_carriers_own_words(
    behaviour: Behaviour, caller: Caller, failed_calls: dict[Behaviour, AttemptId]
) -> None:
    sip_code, q850, outcome = FAILURES[behaviour]
    ended = await caller.ended(failed_calls[behaviour])
    assert ended.ending == Ending(sip_code=sip_code, q850=q850)
    assert outcome_of(ended.ending, answered=False) is outcome


async def test_an_announcement_before_answer_is_told_as_early_media(
    caller: Caller, failed_calls: dict[Behaviour, AttemptId]
) -> None:
    for behaviour in (Behaviour.POWERED_OFF, Behaviour.EMPTY_NUMBER):
        await caller.ended(failed_calls[behaviour])
        assert caller.story(failed_calls[behaviour]) == ["EarlyMedia", "Ended"]


def samples_of(recording: Path) -> "array[int]":
    with wave.open(str(recording)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE_HZ, 2, 1)
        samples = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def seconds_with_tone(samples: "array[int]", frequency_hz: float) -> float:
    """How long most of the energy is at one frequency, in steps of 50 ms."""
    step = RATE_HZ // 20
    blocks = [samples[start : start + step] for start in range(0, len(samples) - step, step)]
    return sum(1 for block in blocks if _is_tone(block, frequency_hz)) * step / RATE_HZ


def _is_tone(block: "array[int]", frequency_hz: float) -> bool:
    energy = sum(sample * sample for sample in block)
    angle = 2 * math.pi * frequency_hz / RATE_HZ
    real = sum(sample * math.cos(angle * n) for n, sample in enumerate(block))
    imaginary = sum(sample * math.sin(angle * n) for n, sample in enumerate(block))
    return energy > len(block) * 500**2 and (real**2 + imaginary**2) / (energy * len(block) / 2) > 0.5
