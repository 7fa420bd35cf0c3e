"""Tasks in every form that the vendor's pages had over the years. Numbers are text here and there, as PHP sends them
when they come from a form of its own.
"""

from vendor_customer.client import Json
from vendor_customer.month import Month

_SPAN = {"start_time": "2024-11-01 13:25:26", "stop_time": "2099-11-01 13:25:26"}
_MAY = "2025-05-01 00:00", "2025-05-05 23:59"


def v1(month: Month, line: str, rule: int) -> Json:
    """§5.1, whose page is that of the update. Only failures are called back."""
    return {
        "caller_line_id": line,
        "destination_extension": str(month.scripts["确认"]),
        "dial_time_id": str(month.hours),
        "maximumcall": "3",
        "name": "一号任务",
        "remark": "首月",
        "call_pause_second": 0,
        "auto_recycle_rule_id": rule,
        "elasticity_type": False,
        "end_action": 1,
        "task_type": 1,
        "call_notify_type": 1,
    }


def by_line_ids(month: Month, line: str) -> Json:
    """§6.2, the older page: bare ids of lines, `start` of holidays."""
    return {
        **_common(month, "线路编号", "确认"),
        "enable_type": 0,
        "is_call_in": 0,
        "task_extras": {**_SPAN, "holiday": [{"start": _MAY[0], "end": _MAY[1]}], "line": [line], "interval_time": 0},
        "call_notify_url": month.receivers.slow.url,
    }


def by_line_limits(month: Month, line: str) -> Json:
    """§6.2, the newest page: limits of lines, `begin` of holidays, redial by the task's own conditions."""
    return {
        **_common(month, "线路并发", "确认"),
        "task_extras": {
            **_SPAN,
            "line": [{"id": line, "limit": "2"}],
            "holiday": [{"begin": _MAY[0], "end": _MAY[1]}],
            "pop_mode": 1,
            "redial_enabled": 1,
            "redial_new_number_policy": "1",
            "redial_interval": 0,
            "redial_max_times": 1,
            "redial_conditions": {"da_status": [4, "8"]},
        },
        "task_type": 7,
        "call_notify_url": month.receivers.failing.url,
    }


def by_rule(month: Month, line: str, rule: int) -> Json:
    """§6.2, the older page again: redial by a rule."""
    return {
        **_common(month, "重呼规则", "确认"),
        "auto_recycle_rule_id": str(rule),
        "task_extras": {**_SPAN, "holiday": [], "line": [line]},
        "call_notify_url": month.receivers.dead.url,
    }


def by_hour(month: Month, line: str) -> Json:
    """§6.2: another script in the morning than for the rest of the day."""
    return {
        **_common(month, "按时间", "确认"),
        "is_group_switch": 1,
        "task_extras": {
            **_SPAN,
            "holiday": [],
            "line": [{"id": line, "limit": 2}],
            "destination_extension_list": [
                {"begin": "00:00", "end": "12:00", "destination_extension": month.scripts["上午"]},
                {"begin": "12:00", "end": "24:00", "destination_extension": str(month.scripts["下午"])},
            ],
        },
        "call_notify_url": month.receivers.redirecting.url,
    }


def by_variable(month: Month, line: str) -> Json:
    """§6.2: the script depends on what came with the number."""
    return {
        **_common(month, "按变量", "确认"),
        "is_group_switch": 2,
        "task_extras": {
            **_SPAN,
            "holiday": [],
            "line": [{"id": line, "limit": 4}],
            "destination_extension_with_variable_list": [
                {"mode": 1, "values": ["女"], "destination_extension": month.scripts["下午"], "sort": 1},
                {"mode": 0, "values": ["男", "男的"], "destination_extension": month.scripts["上午"], "sort": 0},
            ],
        },
    }


def of_sub_account(month: Month, line: str, script: int, hours: int) -> Json:
    return {
        **_common(month, "分店", "确认"),
        "sub_user_id": month.sub,
        "destination_extension": script,
        "dial_time_id": hours,
        "task_extras": {**_SPAN, "holiday": [], "line": [line]},
    }


def sequential(month: Month, line: str) -> Json:
    """One call after the other; who wants to know when it stops is told."""
    return {
        **_common(month, "逐个呼叫", "上午"),
        "maximumcall": 1,
        "task_extras": {**_SPAN, "holiday": [], "line": [line], "pop_mode": 1},
        "call_stop_notify_url": month.receivers.stops.url,
    }


def update(name: str, script: int, hours: int) -> Json:
    """§6.2, the update: own hours and days are given up by empty lists."""
    return {
        "name": name,
        "destination_extension": script,
        "maximumcall": 2,
        "dial_time_id": hours,
        "group_type": "group",
        "is_group_switch": 1,
        "group_switch_rule": [
            {"switch_start": "00:00", "switch_end": "24:00", "group_id": script, "default_group_id": script}
        ],
        "task_extras": {"holiday": [], "work_hour": [], "work_week": []},
    }


def _common(month: Month, name: str, script: str) -> Json:
    return {
        "name": name,
        "destination_extension": month.scripts[script],
        "dial_time_id": month.hours,
        "maximumcall": 4,
    }
