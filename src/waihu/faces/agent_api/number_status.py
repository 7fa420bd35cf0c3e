"""Our outcomes and the number status codes 0 to 12 of the wire (agent-api contract, §9.1)."""

from collections.abc import Iterable
from typing import assert_never

from waihu.domain.outcome import Outcome
from waihu.ports.rows import Contact

WAITING = 0

NAMES = {
    0: "等待呼叫",
    1: "呼叫成功",
    2: "运营商拦截",
    3: "拒接",
    4: "无应答",
    5: "空号",
    6: "关机",
    7: "停机",
    8: "占线",
    9: "呼入限制",
    10: "欠费",
    11: "黑名单",
    12: "用户屏蔽",
}

RETRIED = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 10, 12})
"""Codes that a retry may be asked for; nobody who answered or is on the do-not-call list is called again."""


def code_of(outcome: Outcome) -> int:
    """Finer outcomes share the code that is nearest: 2 was "line fault" before it was "blocked"."""
    match outcome:
        case Outcome.ANSWERED:
            return 1
        case Outcome.BLOCKED_BY_CARRIER | Outcome.NETWORK_BUSY | Outcome.TRUNK_ERROR | Outcome.UNKNOWN:
            return 2
        case Outcome.REJECTED:
            return 3
        case Outcome.NO_ANSWER | Outcome.UNREACHABLE:
            return 4
        case Outcome.INVALID_NUMBER:
            return 5
        case Outcome.POWERED_OFF:
            return 6
        case Outcome.SUSPENDED:
            return 7
        case Outcome.BUSY:
            return 8
        case Outcome.INCOMING_BARRED:
            return 9
        case Outcome.IN_ARREARS:
            return 10
        case Outcome.DO_NOT_CALL:
            return 11
        case Outcome.SCREENED:
            return 12
        case _:
            assert_never(outcome)


def outcomes_of(codes: Iterable[int]) -> tuple[Outcome, ...]:
    """All outcomes that are shown as one of `codes`."""
    wanted = set(codes)
    return tuple(outcome for outcome in Outcome if code_of(outcome) in wanted)


def retried_outcomes(codes: Iterable[int]) -> tuple[Outcome, ...]:
    """As `outcomes_of`, without the calls of which nobody knows whether they reached a person."""
    return tuple(outcome for outcome in outcomes_of(codes) if outcome is not Outcome.UNKNOWN)


def codes_of(outcomes: Iterable[Outcome]) -> list[int]:
    return sorted({code_of(outcome) for outcome in outcomes})


def status_of(contact: Contact) -> int:
    """A contact that will be tried again is waiting, whatever its last attempt came to."""
    return code_of(contact.outcome) if contact.finished and contact.outcome is not None else WAITING
