"""What every dialing store promises to the engine, whatever it is made of."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from houses import House, MemoryHouse, PostgresHouse

from waihu.adapters.postgres.pool import Pool
from waihu.dialing.events import AttemptRefused, ContactsClaimed, Refusal
from waihu.dialing.records import (
    AttemptAnswered,
    AttemptClosed,
    AttemptPlanned,
    AttemptWithdrawn,
    CampaignCompleted,
    CampaignPaused,
    CampaignPhased,
    ContactFinished,
    ContactHeld,
    ContactReleased,
)
from waihu.dialing.resources import of_campaign, of_trunk
from waihu.domain.campaign import CampaignPlan, CampaignState, EndAction, PauseReason, Phase
from waihu.domain.contact import DueContact
from waihu.domain.hold import Hold, HoldReason
from waihu.domain.ids import ContactId, NodeId, attempt_id
from waihu.domain.outcome import Ending, Outcome
from waihu.ports.dialing_store import Demand, NodeBuried, OpenAttempt

NOW = int(datetime(2026, 3, 2, 2, 0, tzinfo=UTC).timestamp() * 1000)
TODAY = date(2026, 3, 2)  # It is ten in the morning in Shanghai.
MINUTE = 60_000
SILENT_MS = 15_000
TTL_MS, DRAIN_MS = 4_000, 60_000

ANNA, BO, CARL = "13800000001", "13800000002", "13800000003"


@pytest.fixture(params=["postgres", "memory"])
async def house(request: pytest.FixtureRequest, pool: Pool) -> House:
    return MemoryHouse() if request.param == "memory" else await PostgresHouse(pool).furnish()


@pytest.fixture
async def node(house: House) -> NodeId:
    return await house.store.join("here", NOW)


@pytest.fixture
async def other(house: House) -> NodeId:
    return await house.store.join("there", NOW)


async def claim(
    house: House, node: NodeId, campaign: CampaignPlan, count: int = 10, *, new_first: bool = False, now: int = NOW
) -> ContactsClaimed:
    return await house.store.claim(node, campaign.id, count, new_first, now)


def ids(claimed: ContactsClaimed) -> list[ContactId]:
    return [contact.id for contact in claimed.contacts]


def planned(campaign: CampaignPlan, contact: DueContact, at: int = NOW) -> AttemptPlanned:
    number = contact.attempts + 1
    return AttemptPlanned(
        attempt=attempt_id(campaign.id, contact.id, number),
        contact=contact.id,
        campaign=campaign.id,
        account=campaign.account,
        trunk=campaign.trunks[0].trunk,
        number=number,
        phone=contact.phone,
        at=at,
        day=TODAY,
        daily_cap=campaign.daily_cap,
    )


def closed(
    plan: AttemptPlanned, outcome: Outcome = Outcome.BUSY, retry: Hold | None = None, **changes: Any
) -> AttemptClosed:
    record = AttemptClosed(
        attempt=plan.attempt,
        contact=plan.contact,
        campaign=plan.campaign,
        outcome=outcome,
        ending=Ending(sip_code=486),
        placed_at=plan.at + 100,
        ringing_at=None,
        answered_at=None,
        at=plan.at + 5_000,
        retry=retry,
    )
    return replace(record, **changes)


def in_ten_minutes() -> Hold:
    return Hold(HoldReason.RETRY_DELAY, NOW + 10 * MINUTE)


async def dial(house: House, node: NodeId, campaign: CampaignPlan, phone: str) -> AttemptPlanned:
    """A contact of that phone with an open attempt."""
    await house.contacts(campaign.id, [phone])
    claimed = await claim(house, node, campaign, 1, new_first=True)
    plan = planned(campaign, claimed.contacts[0])
    assert await house.store.commit(node, [plan], NOW) == []
    return plan


# Claiming


async def test_new_contacts_are_claimed_in_the_order_they_came_and_only_once(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign()
    anna, bo, carl = await house.contacts(campaign.id, [ANNA, BO, CARL])

    first = await claim(house, node, campaign, 2)
    second = await claim(house, other, campaign, 2)

    assert ids(first) == [anna, bo]
    assert first.contacts[0] == DueContact(anna, ANNA)
    assert ids(second) == [carl]


async def test_a_claim_says_whether_more_wait_and_whether_any_is_unfinished(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA, BO])

    one = await claim(house, node, campaign, 1)
    assert (one.next_due_at, one.unfinished) == (NOW, True)

    rest = await claim(house, other, campaign, 10)
    assert (rest.next_due_at, rest.unfinished) == (None, True)

    for owner, claimed in ((node, one), (other, rest)):
        await house.store.commit(
            owner, [ContactFinished(claimed.contacts[0].id, campaign.id, Outcome.DO_NOT_CALL)], NOW
        )
    nothing = await claim(house, node, campaign, 0)
    assert (nothing.contacts, nothing.next_due_at, nothing.unfinished) == ((), None, False)


async def test_a_held_contact_is_claimed_when_it_is_due_and_not_before(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, node, campaign)
    await house.store.commit(node, [ContactHeld(anna, campaign.id, in_ten_minutes())], NOW)

    early = await claim(house, node, campaign, now=NOW + 10 * MINUTE - 1)
    assert (ids(early), early.next_due_at) == ([], NOW + 10 * MINUTE)

    assert ids(await claim(house, node, campaign, now=NOW + 10 * MINUTE)) == [anna]


@pytest.mark.parametrize("new_first", [True, False])
async def test_new_contacts_go_before_due_retries_where_the_campaign_wants_it(
    house: House, node: NodeId, new_first: bool
) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, node, campaign)
    await house.store.commit(node, [ContactHeld(anna, campaign.id, Hold(HoldReason.RETRY_DELAY, NOW))], NOW)
    (bo,) = await house.contacts(campaign.id, [BO])

    claimed = await claim(house, node, campaign, new_first=new_first, now=NOW + 1)

    assert ids(claimed) == ([bo, anna] if new_first else [anna, bo])


async def test_contacts_that_are_due_come_in_the_order_in_which_they_became_due(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    anna, bo = await house.contacts(campaign.id, [ANNA, BO])
    await claim(house, node, campaign)
    held = [
        ContactHeld(anna, campaign.id, Hold(HoldReason.RETRY_DELAY, NOW + 2)),
        ContactHeld(bo, campaign.id, Hold(HoldReason.RETRY_DELAY, NOW + 1)),
    ]
    await house.store.commit(node, held, NOW)

    assert ids(await claim(house, node, campaign, now=NOW + MINUTE)) == [bo, anna]


async def test_nothing_is_claimed_of_a_campaign_that_does_not_run(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])

    await house.set_state(campaign.id, CampaignState.PAUSED)
    assert ids(await claim(house, node, campaign)) == []

    await house.set_state(campaign.id, CampaignState.RUNNING)
    assert ids(await claim(house, node, campaign)) == [anna]


async def test_a_claimed_contact_knows_its_tries_and_todays_calls(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)
    await house.store.commit(node, [closed(plan, retry=Hold(HoldReason.RETRY_DELAY, NOW))], NOW)

    (again,) = (await claim(house, node, campaign)).contacts
    assert (again.attempts, again.tries, again.calls_today) == (1, 1, 1)

    await house.store.commit(node, [ContactReleased(again.id, campaign.id)], NOW)
    tomorrow = await claim(house, node, campaign, now=NOW + 24 * 60 * MINUTE)
    assert tomorrow.contacts[0].calls_today == 0


# Planning


async def test_a_plan_opens_an_attempt(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    assert await house.attempt(plan.attempt) == "planned"
    assert (await house.contact(plan.contact)).attempts == 1
    assert await house.calls_counted(ANNA, TODAY) == 1


async def test_a_repeated_commit_is_answered_the_same_and_changes_nothing(house: House, node: NodeId) -> None:
    campaign = await house.campaign(daily_cap=1)
    await house.contacts(campaign.id, [ANNA, BO])
    await house.forbid(BO)
    batch = [planned(campaign, contact) for contact in (await claim(house, node, campaign)).contacts]
    refusals = [AttemptRefused(batch[1].attempt, Refusal.DO_NOT_CALL)]

    assert await house.store.commit(node, batch, NOW) == refusals
    assert await house.store.commit(node, batch, NOW + 1) == refusals

    assert await house.calls_counted(ANNA, TODAY) == 1
    assert (await house.contact(batch[0].contact)).attempts == 1


async def test_a_repeated_plan_stands_although_its_campaign_was_paused_meanwhile(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)
    await house.set_state(campaign.id, CampaignState.PAUSED)

    assert await house.store.commit(node, [plan], NOW) == []


async def test_a_number_on_the_do_not_call_list_is_refused_without_a_trace(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    await house.forbid(ANNA)
    plan = planned(campaign, anna)

    assert await house.store.commit(node, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.DO_NOT_CALL)]

    assert await house.attempt(plan.attempt) is None
    assert await house.calls_counted(ANNA, TODAY) == 0
    assert (await house.contact(anna.id)).attempts == 0


async def test_the_daily_cap_holds_over_all_campaigns_and_within_one_batch(house: House, node: NodeId) -> None:
    one, two = await house.campaign(daily_cap=2), await house.campaign(daily_cap=2)
    plans = []
    for campaign in (one, two, one):
        await house.contacts(campaign.id, [ANNA if not plans else f"{ANNA}_{len(plans)}"])
        (contact,) = (await claim(house, node, campaign)).contacts
        plans.append(planned(campaign, replace(contact, phone=ANNA)))

    assert await house.store.commit(node, plans, NOW) == [AttemptRefused(plans[2].attempt, Refusal.DAILY_CAP)]

    assert await house.calls_counted(ANNA, TODAY) == 2
    assert await house.attempt(plans[2].attempt) is None


async def test_a_cap_of_zero_allows_no_call(house: House, node: NodeId) -> None:
    campaign = await house.campaign(daily_cap=0)
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    plan = planned(campaign, anna)

    assert await house.store.commit(node, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.DAILY_CAP)]


async def test_nothing_is_planned_once_the_campaign_is_paused(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, node, campaign)).contacts
    await house.set_state(campaign.id, CampaignState.PAUSED)
    plan = planned(campaign, anna)

    assert await house.store.commit(node, [plan], NOW) == [AttemptRefused(plan.attempt, Refusal.STOPPED)]
    assert await house.attempt(plan.attempt) is None


async def test_a_contact_that_is_not_the_nodes_own_is_refused(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA, BO])
    (anna,) = (await claim(house, other, campaign, 1)).contacts
    bo = DueContact(ContactId(anna.id + 1), BO)
    plans = [planned(campaign, anna), planned(campaign, bo)]

    assert await house.store.commit(node, plans, NOW) == [
        AttemptRefused(plan.attempt, Refusal.NOT_OURS) for plan in plans
    ]


async def test_one_refused_plan_does_not_harm_the_others(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA, BO, CARL])
    plans = [planned(campaign, contact) for contact in (await claim(house, node, campaign)).contacts]
    await house.forbid(BO)

    assert await house.store.commit(node, plans, NOW) == [AttemptRefused(plans[1].attempt, Refusal.DO_NOT_CALL)]
    assert [await house.attempt(plan.attempt) for plan in plans] == ["planned", None, "planned"]


# What becomes of calls


async def test_a_closed_attempt_finishes_its_contact(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    await house.store.commit(node, [closed(plan, Outcome.REJECTED)], NOW)

    assert await house.attempt(plan.attempt) == "closed"
    anna = await house.contact(plan.contact)
    assert (anna.finished, anna.outcome, anna.tries, anna.hold) == (True, Outcome.REJECTED, 1, None)
    assert not (await claim(house, node, campaign)).unfinished


async def test_a_closed_attempt_with_a_retry_lets_its_contact_wait(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    await house.store.commit(node, [closed(plan, Outcome.BUSY, in_ten_minutes())], NOW)

    anna = await house.contact(plan.contact)
    assert (anna.finished, anna.outcome, anna.tries, anna.hold) == (False, Outcome.BUSY, 1, in_ten_minutes())
    assert ids(await claim(house, node, campaign, now=NOW + 10 * MINUTE)) == [plan.contact]


async def test_answered_and_closed_in_one_batch(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    batch = [
        AttemptAnswered(plan.attempt, NOW + 1000),
        closed(plan, Outcome.ANSWERED, answered_at=NOW + 1000, ending=Ending()),
    ]
    await house.store.commit(node, batch, NOW)

    assert (await house.contact(plan.contact)).outcome is Outcome.ANSWERED


async def test_an_attempt_is_closed_once(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)
    record = closed(plan, Outcome.BUSY, in_ten_minutes())
    await house.store.commit(node, [record], NOW)

    await house.store.commit(node, [record], NOW)
    assert (await house.contact(plan.contact)).tries == 1

    # Its contact may have been claimed again before the commit was repeated.
    (again,) = (await claim(house, node, campaign, now=NOW + 10 * MINUTE)).contacts
    await house.store.commit(node, [record, planned(campaign, again)], NOW + 10 * MINUTE)
    assert await house.attempt(attempt_id(campaign.id, again.id, 2)) == "planned"


async def test_only_its_own_node_closes_an_attempt(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    await house.store.commit(other, [closed(plan)], NOW)

    assert await house.attempt(plan.attempt) == "planned"
    assert not (await house.contact(plan.contact)).finished


async def test_a_withdrawn_attempt_counts_neither_as_try_nor_for_the_day(house: House, node: NodeId) -> None:
    campaign = await house.campaign(daily_cap=1)
    plan = await dial(house, node, campaign, ANNA)
    record = AttemptWithdrawn(plan.attempt, plan.contact, campaign.id, NOW + 10, Hold(HoldReason.TRUNK_DOWN, NOW + 20))

    await house.store.commit(node, [record], NOW)
    await house.store.commit(node, [record], NOW)

    assert await house.attempt(plan.attempt) == "withdrawn"
    assert await house.calls_counted(ANNA, TODAY) == 0
    anna = await house.contact(plan.contact)
    assert (anna.attempts, anna.tries, anna.hold) == (1, 0, record.hold)

    (again,) = (await claim(house, node, campaign, now=NOW + 20)).contacts
    assert await house.store.commit(node, [planned(campaign, again)], NOW + 20) == []


# Contacts that are not dialled


async def test_a_released_contact_is_as_it_was_before(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    anna, bo = await house.contacts(campaign.id, [ANNA, BO])
    await claim(house, node, campaign)

    await house.store.commit(node, [ContactReleased(bo, campaign.id), ContactReleased(anna, campaign.id)], NOW)

    assert ids(await claim(house, other, campaign)) == [anna, bo]
    assert (await house.contact(anna)).hold is None


async def test_a_contact_is_held_with_its_reason(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, node, campaign)
    hold = Hold(HoldReason.DAILY_CAP, NOW + 60 * MINUTE)

    await house.store.commit(node, [ContactHeld(anna, campaign.id, hold)], NOW)

    assert await house.contact(anna) == replace(await house.contact(anna), hold=hold, tries=0, finished=False)


async def test_a_contact_held_without_an_end_is_looked_at_again_after_a_while(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, node, campaign)

    await house.store.commit(node, [ContactHeld(anna, campaign.id, Hold(HoldReason.CONTACT_HOURS))], NOW)

    assert ids(await claim(house, node, campaign, now=NOW + 5 * MINUTE - 1)) == []
    assert ids(await claim(house, node, campaign, now=NOW + 5 * MINUTE)) == [anna]


async def test_a_contact_is_finished_without_a_call(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, node, campaign)
    record = ContactFinished(anna, campaign.id, Outcome.DO_NOT_CALL)

    await house.store.commit(node, [record], NOW)
    await house.store.commit(node, [record], NOW)

    look = await house.contact(anna)
    assert (look.finished, look.outcome, look.tries) == (True, Outcome.DO_NOT_CALL, 0)


async def test_another_nodes_contacts_are_left_alone(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    anna, bo, carl = await house.contacts(campaign.id, [ANNA, BO, CARL])
    await claim(house, node, campaign)

    await house.store.commit(
        other,
        [
            ContactHeld(anna, campaign.id, in_ten_minutes()),
            ContactReleased(bo, campaign.id),
            ContactFinished(carl, campaign.id, Outcome.DO_NOT_CALL),
        ],
        NOW,
    )

    assert ids(await claim(house, other, campaign, now=NOW + 20 * MINUTE)) == []
    looks = [await house.contact(contact) for contact in (anna, bo, carl)]
    assert [(look.hold, look.finished) for look in looks] == [(None, False)] * 3


async def test_what_comes_late_takes_no_contact_away_from_its_call(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    # An earlier commit of these, whose answer was lost, arrives after the contact was claimed again.
    for late in (
        ContactReleased(plan.contact, campaign.id),
        ContactHeld(plan.contact, campaign.id, in_ten_minutes()),
        ContactFinished(plan.contact, campaign.id, Outcome.DO_NOT_CALL),
    ):
        await house.store.commit(node, [late], NOW)

    assert ids(await claim(house, other, campaign, now=NOW + 20 * MINUTE)) == []
    assert await house.store.commit(node, [closed(plan)], NOW) == []
    look = await house.contact(plan.contact)
    assert (look.finished, look.outcome, look.tries) == (True, Outcome.BUSY, 1)


# Campaigns


async def test_a_campaign_completes_when_no_contact_is_unfinished(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)

    await house.store.commit(node, [closed(plan), CampaignCompleted(campaign.id, EndAction.NONE)], NOW)

    assert (await house.look(campaign.id)).state is CampaignState.COMPLETED
    assert (await house.store.world()).plans == []


async def test_a_campaign_with_unfinished_contacts_does_not_complete(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])

    await house.store.commit(node, [CampaignCompleted(campaign.id, EndAction.NONE)], NOW)
    await claim(house, node, campaign)
    await house.store.commit(node, [CampaignCompleted(campaign.id, EndAction.NONE)], NOW)

    assert (await house.look(campaign.id)).state is CampaignState.RUNNING


async def test_contacts_that_are_added_let_a_completed_campaign_run_again(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.store.commit(node, [CampaignCompleted(campaign.id, EndAction.NONE)], NOW)
    assert (await house.look(campaign.id)).state is CampaignState.COMPLETED

    (anna,) = await house.contacts(campaign.id, [ANNA])

    assert (await house.look(campaign.id)).state is CampaignState.RUNNING
    assert ids(await claim(house, node, campaign)) == [anna]


async def test_a_campaign_is_paused_by_a_rule_but_not_over_a_users_pause(house: House, node: NodeId) -> None:
    one, two = await house.campaign(), await house.campaign()
    await house.set_state(two.id, CampaignState.PAUSED)

    await house.store.commit(
        node, [CampaignPaused(campaign.id, PauseReason.SCHEDULE_END) for campaign in (one, two)], NOW
    )

    looks = [await house.look(campaign.id) for campaign in (one, two)]
    assert [(look.state, look.pause_reason) for look in looks] == [
        (CampaignState.PAUSED, PauseReason.SCHEDULE_END),
        (CampaignState.PAUSED, PauseReason.USER),
    ]


async def test_a_campaign_tells_what_it_is_doing_and_the_last_word_counts(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    waits = CampaignPhased(campaign.id, Phase.WAITING_CAPACITY, Hold(HoldReason.NO_CHANNEL))

    await house.store.commit(node, [waits, CampaignPhased(campaign.id, Phase.DIALING, None)], NOW)
    look = await house.look(campaign.id)
    assert (look.phase, look.hold) == (Phase.DIALING, None)

    await house.store.commit(node, [CampaignPhased(campaign.id, Phase.DIALING, None), waits], NOW)
    look = await house.look(campaign.id)
    assert (look.phase, look.hold) == (Phase.WAITING_CAPACITY, Hold(HoldReason.NO_CHANNEL))


async def test_a_pause_with_calls_in_progress_is_followed_by_draining(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    batch = [
        CampaignPaused(campaign.id, PauseReason.SCHEDULE_END),
        CampaignPhased(campaign.id, Phase.DRAINING, Hold(HoldReason.PAUSED)),
    ]

    await house.store.commit(node, batch, NOW)
    assert (await house.look(campaign.id)).phase is Phase.DRAINING

    await house.store.commit(node, [CampaignPhased(campaign.id, None, None)], NOW)
    assert (await house.look(campaign.id)).phase is None


async def test_a_late_word_on_a_campaign_that_was_stopped_meanwhile_does_not_count(house: House, node: NodeId) -> None:
    done, paused = await house.campaign(), await house.campaign()
    await house.store.commit(node, [CampaignCompleted(done.id, EndAction.NONE)], NOW)
    await house.set_state(paused.id, CampaignState.PAUSED)

    late = [CampaignPhased(campaign.id, Phase.DIALING, None) for campaign in (done, paused)]
    await house.store.commit(node, late, NOW)

    assert [(await house.look(campaign.id)).phase for campaign in (done, paused)] == [None, None]


async def test_a_late_word_on_a_campaign_that_runs_again_does_not_count(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.store.commit(node, [CampaignPhased(campaign.id, Phase.DIALING, None)], NOW)

    for late in (CampaignPhased(campaign.id, Phase.DRAINING, Hold(HoldReason.PAUSED)), quiet(campaign)):
        await house.store.commit(node, [late], NOW)

        assert (await house.look(campaign.id)).phase is Phase.DIALING


async def test_a_node_that_waits_does_not_speak_over_one_that_has_calls(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign()
    plan = await dial(house, node, campaign, ANNA)
    await house.store.commit(node, [CampaignPhased(campaign.id, Phase.DIALING, None)], NOW)
    waits = CampaignPhased(campaign.id, Phase.WAITING_CAPACITY, Hold(HoldReason.NO_CHANNEL))

    await house.store.commit(other, [waits], NOW)
    assert (await house.look(campaign.id)).phase is Phase.DIALING

    await house.store.commit(node, [closed(plan), waits], NOW)
    assert (await house.look(campaign.id)).phase is Phase.WAITING_CAPACITY


async def test_a_campaign_lets_its_calls_end_until_the_last_node_has_none(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign()
    here, there = await dial(house, node, campaign, ANNA), await dial(house, other, campaign, BO)
    await house.set_state(campaign.id, CampaignState.PAUSED)
    draining = CampaignPhased(campaign.id, Phase.DRAINING, Hold(HoldReason.PAUSED))
    for owner in (node, other):
        await house.store.commit(owner, [draining], NOW)

    await house.store.commit(node, [closed(here), quiet(campaign)], NOW)
    assert (await house.look(campaign.id)).phase is Phase.DRAINING

    await house.store.commit(other, [closed(there), quiet(campaign)], NOW)
    assert (await house.look(campaign.id)).phase is None


async def test_the_calls_of_a_buried_node_are_not_waited_for(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, other, campaign, ANNA)
    await house.set_state(campaign.id, CampaignState.PAUSED)
    await house.store.commit(other, [CampaignPhased(campaign.id, Phase.DRAINING, Hold(HoldReason.PAUSED))], NOW)

    await house.store.bury(node, [plan.attempt], SILENT_MS, NOW + SILENT_MS)

    assert (await house.look(campaign.id)).phase is None


def quiet(campaign: CampaignPlan) -> CampaignPhased:
    return CampaignPhased(campaign.id, None, None)


# Nodes that die


async def test_open_attempts_of_a_silent_node_are_orphans(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    ringing, talking = await dial(house, other, campaign, ANNA), await dial(house, other, campaign, BO)
    await house.store.commit(other, [AttemptAnswered(talking.attempt, NOW)], NOW)
    await dial(house, node, campaign, CARL)

    later = NOW + SILENT_MS
    await house.store.beat(node, later)
    orphans = await house.store.orphans(node, later, SILENT_MS)
    assert sorted(orphans, key=lambda orphan: orphan.answered) == [
        OpenAttempt(ringing.attempt, other, answered=False),
        OpenAttempt(talking.attempt, other, answered=True),
    ]

    await house.store.beat(other, later - 1)
    assert await house.store.orphans(node, later, SILENT_MS) == []


async def test_the_burial_of_a_node_accounts_for_all_it_had(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    ringing, talking = await dial(house, other, campaign, ANNA), await dial(house, other, campaign, BO)
    await house.store.commit(other, [AttemptAnswered(talking.attempt, NOW)], NOW)
    (carl,) = await house.contacts(campaign.id, [CARL])
    await claim(house, other, campaign)

    later = NOW + SILENT_MS
    await house.store.bury(node, [ringing.attempt, talking.attempt], SILENT_MS, later)

    outcomes = [(await house.contact(plan.contact)).outcome for plan in (ringing, talking)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.ANSWERED]
    assert ids(await claim(house, node, campaign, now=later)) == [carl]
    assert await house.store.orphans(node, later, SILENT_MS) == []


async def test_a_buried_node_is_told_so_and_changes_nothing(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, other, campaign, ANNA)
    await house.contacts(campaign.id, [BO])
    (bo,) = (await claim(house, other, campaign)).contacts
    later = NOW + SILENT_MS
    await house.store.bury(node, [plan.attempt], SILENT_MS, later)

    with pytest.raises(NodeBuried):
        await house.store.beat(other, later)
    late = planned(campaign, bo)
    assert await house.store.commit(other, [late], later) == [AttemptRefused(late.attempt, Refusal.NOT_OURS)]
    await house.store.commit(other, [closed(plan, retry=in_ten_minutes())], later)
    assert (await house.contact(plan.contact)).outcome is Outcome.UNKNOWN
    assert ids(await claim(house, other, campaign, now=later)) == []


async def test_a_node_that_beats_is_not_buried(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, other, campaign, ANNA)

    await house.store.beat(other, NOW + SILENT_MS)
    await house.store.bury(node, [plan.attempt], SILENT_MS, NOW + SILENT_MS + 1)

    assert await house.attempt(plan.attempt) == "planned"
    await house.store.beat(other, NOW + SILENT_MS + 2)


async def test_a_new_process_of_the_same_name_has_replaced_the_old_one_at_once(house: House, other: NodeId) -> None:
    campaign = await house.campaign()
    plan = await dial(house, other, campaign, ANNA)

    successor = await house.store.join("there", NOW + 1)

    assert await house.store.orphans(successor, NOW + 1, SILENT_MS) == [OpenAttempt(plan.attempt, other, False)]
    with pytest.raises(NodeBuried):
        await house.store.beat(other, NOW + 2)
    await house.store.bury(successor, [plan.attempt], SILENT_MS, NOW + 2)
    assert await house.attempt(plan.attempt) == "closed"


async def test_a_replaced_process_that_lives_on_plans_nothing_more(house: House, other: NodeId) -> None:
    campaign = await house.campaign()
    await house.contacts(campaign.id, [ANNA])
    (anna,) = (await claim(house, other, campaign)).contacts

    await house.store.join("there", NOW + 1)

    plan = planned(campaign, anna)
    assert await house.store.commit(other, [plan], NOW + 2) == [AttemptRefused(plan.attempt, Refusal.NOT_OURS)]


async def test_who_leaves_gives_back_what_was_claimed(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign()
    (anna,) = await house.contacts(campaign.id, [ANNA])
    await claim(house, other, campaign)

    await house.store.leave(other, NOW)

    assert ids(await claim(house, node, campaign)) == [anna]


# Capacity


async def granted(house: House, node: NodeId, sequence: int, *demands: Demand) -> list[tuple[int, float | None]]:
    grants = await house.store.renew(node, sequence, demands, TTL_MS, DRAIN_MS)
    assert [grant.resource for grant in grants] == [demand.resource for demand in demands]
    return [(grant.channels, grant.cps) for grant in grants]


async def test_a_node_that_is_alone_gets_everything(house: House, node: NodeId) -> None:
    campaign = await house.campaign(channels_max=7)

    assert await granted(
        house, node, 1, Demand(of_campaign(campaign.id), 0, 0), Demand(of_trunk(house.trunk), 0, 0)
    ) == [(7, None), (10, 10)]


async def test_a_second_node_gets_nothing_before_the_first_has_given_way(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign(channels_max=10)
    resource = of_campaign(campaign.id)
    assert await granted(house, node, 1, Demand(resource, 2, 20)) == [(10, None)]

    assert await granted(house, other, 1, Demand(resource, 0, 22)) == [(0, None)]
    assert await granted(house, node, 2, Demand(resource, 2, 20)) == [(5, None)]
    assert await granted(house, other, 2, Demand(resource, 0, 22)) == [(5, None)]


async def test_calls_in_progress_stay_reserved_while_their_node_gives_way(
    house: House, node: NodeId, other: NodeId
) -> None:
    campaign = await house.campaign(channels_max=10)
    resource = of_campaign(campaign.id)
    await granted(house, node, 1, Demand(resource, 8, 0))
    await granted(house, other, 1, Demand(resource, 0, 80))

    # It has eight calls and may replace none of them, until it has no more than its share.
    assert await granted(house, node, 2, Demand(resource, 8, 0)) == [(1, None)]
    assert await granted(house, other, 2, Demand(resource, 0, 80)) == [(2, None)]


async def test_under_a_lowered_limit_no_call_is_replaced_before_there_are_fewer(
    house: House, node: NodeId, other: NodeId
) -> None:
    resource = of_trunk(house.trunk)
    await granted(house, node, 1, Demand(resource, 4, 4))

    await house.limit_trunk(2, 5)

    assert await granted(house, node, 2, Demand(resource, 4, 4)) == [(2, 5)]
    assert (await granted(house, other, 1, Demand(resource, 0, 4)))[0][0] == 0


async def test_a_rate_below_one_belongs_to_one_node(house: House, node: NodeId, other: NodeId) -> None:
    await house.limit_trunk(10, 0.5)
    resource = of_trunk(house.trunk)

    assert await granted(house, node, 1, Demand(resource, 0, 4)) == [(10, 0.5)]
    ((_, cps),) = await granted(house, other, 1, Demand(resource, 0, 4))
    assert cps == 0


async def test_who_leaves_gives_back_its_leases(house: House, node: NodeId, other: NodeId) -> None:
    campaign = await house.campaign(channels_max=10)
    await granted(house, other, 1, Demand(of_campaign(campaign.id), 0, 5))

    await house.store.leave(other, NOW)

    assert await granted(house, node, 1, Demand(of_campaign(campaign.id), 0, 5)) == [(10, None)]


async def test_a_campaign_that_does_not_run_has_no_channels_to_give(house: House, node: NodeId) -> None:
    campaign = await house.campaign()
    await house.set_state(campaign.id, CampaignState.PAUSED)

    assert (await granted(house, node, 1, Demand(of_campaign(campaign.id), 0, 5)))[0][0] == 0
