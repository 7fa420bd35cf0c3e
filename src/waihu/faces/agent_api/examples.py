"""What a client of the agent-api would send, call by call, for the reference. The phones are of a range that is given
to nobody; the telephone network in a box answers them.
"""

from collections.abc import Mapping
from typing import Any

from waihu.faces.examples import Example, Examples, Variable

LINE_ID = Variable("LINE_ID")
SCRIPT_ID = Variable("SCRIPT_ID", is_number=True)
OTHER_SCRIPT_ID = Variable("OTHER_SCRIPT_ID", is_number=True)
TIME_GROUP_ID = Variable("TIME_GROUP_ID", is_number=True)
TRANSFER_GROUP_ID = Variable("TRANSFER_GROUP_ID", is_number=True)
ALLOCATION_ID = Variable("ALLOCATION_ID", is_number=True)
USER_ID = Variable("USER_ID")
SUB_USER_ID = Variable("SUB_USER_ID")
TENANT_ID = Variable("TENANT_ID")
RECORD_ID = Variable("RECORD_ID")
COMPONENT_ID = Variable("COMPONENT_ID")
SECURITY_CODE = Variable("SECURITY_CODE")
BATCH_ID = Variable("BATCH_ID")
PUSH_ID = Variable("PUSH_ID")
VOICE_KEY = Variable("VOICE_KEY")
NUMBERS_KEY = Variable("NUMBERS_KEY")

PHONE, OTHER_PHONE, UNWANTED_PHONE = "10000000001", "10000000002", "10000000009"
EXTRA = "order-20260304-17"

PAGE: Mapping[str, Any] = {"page": 1, "per_page": 20}
MARCH = ["2026-03-01", "2026-03-31"]
MARCH_TO_THE_SECOND = ["2026-03-01 00:00:00", "2026-03-31 23:59:59"]

TASK_1_0: Mapping[str, Any] = {
    "name": "三月回访",
    "caller_line_id": LINE_ID,
    "destination_extension": SCRIPT_ID,
    "dial_time_id": TIME_GROUP_ID,
    "maximumcall": 2,
    "call_pause_second": 0,
    "remark": "老客户",
}
TASK_2_0: Mapping[str, Any] = {
    "name": "三月回访",
    "destination_extension": SCRIPT_ID,
    "dial_time_id": TIME_GROUP_ID,
    "maximumcall": 2,
    "call_notify_type": 2,
    "call_notify_url": "https://crm.example.com/waihu/calls",
    "task_extras": {
        "start_time": "2026-03-01 00:00:00",
        "stop_time": "2027-03-01 00:00:00",
        "line": [{"id": LINE_ID, "limit": 2}],
        "holiday": [{"begin": "2026-05-01 00:00", "end": "2026-05-05 23:59"}],
        "pop_mode": 1,
        "redial_enabled": 1,
        "redial_new_number_policy": 1,
        "redial_interval": 30,
        "redial_max_times": 2,
        "redial_conditions": {"da_status": [4, 6, 8]},
    },
}
CHANGED_2_0: Mapping[str, Any] = {
    "name": "三月回访",
    "destination_extension": SCRIPT_ID,
    "dial_time_id": TIME_GROUP_ID,
    "maximumcall": 5,
    "is_group_switch": 1,
    "task_extras": {
        "line": [{"id": LINE_ID, "limit": 5}],
        "destination_extension_list": [{"begin": "09:00", "end": "12:00", "destination_extension": OTHER_SCRIPT_ID}],
        "work_week": [1, 2, 3, 4, 5],
    },
}
NUMBERS: Mapping[str, Any] = {
    "ignore_crm": False,
    "skip_error": True,
    "data": [
        {"phone": PHONE, "name": "王芳", "company": "甲公司", "sex": 2, "sort": 0, "extra": EXTRA},
        {"phone": OTHER_PHONE, "name": "李雷", "sort": 0},
    ],
}
MORE_NUMBERS: Mapping[str, Any] = {
    "ignore_crm": True,
    "data": [{"phone": "10000000003", "name": "赵敏", "sort": 0, "control_select_robot": "女"}],
}
HOURS: Mapping[str, Any] = {
    "name": "工作日",
    "content": [
        {
            "week": day,
            "times": [{"begin_time": "09:00", "end_time": "12:00"}, {"begin_time": "13:30", "end_time": "19:00"}],
        }
        for day in (1, 3)
    ],
    "is_default": False,
    "skip_holiday": True,
}
USER: Mapping[str, Any] = {
    "name": "乙公司",
    "email": "second@example.com",
    "phone": "10000000011",
    "password": "change-me-1",
    "password_confirmation": "change-me-1",
}
SUB_ACCOUNT: Mapping[str, Any] = {
    "name": "一组",
    "email": "team1@example.com",
    "phone": "10000000012",
    "password": "change-me-1",
    "password_confirmation": "change-me-1",
    "subset_data": {"alias": "电销一组", "duty": "组长", "sex": 0},
}
SCRIPT: Mapping[str, Any] = {
    "name": "预约确认",
    "greeting": "您好{姓名},您预约了明天的服务。确认请按1,取消请按2。",
    "keys": [{"key": "1", "answer": "已为您确认。"}, {"key": "2", "answer": "已为您取消。"}],
    "key_timeout": 8,
    "goodbye": "再见。",
}
REDIAL_RULE: Mapping[str, Any] = {
    "name": "无人接听重呼",
    "details": [{"number_status": 4, "time": 30}, {"number_status": 8, "time": 10}],
    "max_times": 3,
}
QUALITY_CONFIG: Mapping[str, Any] = {"name": "礼貌用语", "prompt": "话术是否说明了来意并道别"}

_USER = "/agent-api/user/{user_id}"
_NEW = "/agent-api/new/user/{user_id}"
_TASK = f"{_USER}/task/{{task_id}}"

EXAMPLES: Examples = {
    # Tasks
    f"GET {_NEW}/task": Example({**PAGE, "name": "回访", "status[]": [3]}),
    f"GET {_NEW}/subset_task": Example(PAGE),
    f"POST {_NEW}/task": Example(body=TASK_2_0),
    f"PUT {_NEW}/task/{{task_id}}": Example(body=CHANGED_2_0),
    f"GET {_USER}/task": Example({**PAGE, "status[]": [1, 2]}),
    f"GET {_USER}/all_task": Example(PAGE),
    f"POST {_USER}/task": Example(body=TASK_1_0),
    f"PUT {_TASK}": Example(body={**TASK_1_0, "maximumcall": 5}),
    # Numbers
    f"GET {_TASK}/number": Example({**PAGE, "status[]": [0, 4]}),
    f"POST {_TASK}/number": Example(body=NUMBERS),
    f"POST {_TASK}/async_number": Example(body=MORE_NUMBERS),
    f"GET {_TASK}/number/detail/{{phone}}": Example({"phone": PHONE}),
    f"PUT {_TASK}/number-batch-reset": Example(body={"status": [4, 8], "is_new_task": True}),
    f"DELETE {_TASK}/number-batch-delete": Example(body={"customer_info_list": [{"phone": OTHER_PHONE}]}),
    # Calls
    f"GET {_TASK}/record": Example(
        {**PAGE, "start_at": MARCH_TO_THE_SECOND[0], "end_at": MARCH_TO_THE_SECOND[1], "intention_tags[]": [1, 2]}
    ),
    f"GET {_TASK}/batch_record/download-full-voice": Example({"recordIds[]": [RECORD_ID]}),
    "GET /agent-api/download-voice": Example({"key": VOICE_KEY}),
    # Customers
    f"POST {_USER}/customer/component": Example(
        body={"name": "生日", "type": "date", "validate": ["sometimes", "date"]}
    ),
    f"PUT {_USER}/customer/component/{{component_id}}": Example(body={"name": "意向车型", "sort": 5}),
    f"POST {_USER}/async_customer": Example(
        body={
            "data": [
                {
                    "phone": PHONE,
                    "name": "王芳",
                    "company": "甲公司",
                    "extra": EXTRA,
                    "components": [{"id": COMPONENT_ID, "value": "轿车"}],
                }
            ]
        }
    ),
    f"GET {_USER}/get_customer": Example({**PAGE, "phone": "1000", "created_at[]": MARCH_TO_THE_SECOND}),
    f"GET {_USER}/type/{{stage}}/get_customer": Example({"stage": "clue", **PAGE, "sex[]": [2], "ai_call": 0}),
    f"DELETE {_USER}/del_customer": Example(body={"phone": [PHONE]}),
    f"GET {_USER}/customer_to_task/{{task_id}}": Example({"phone": "1000"}),
    f"GET {_USER}/customer_to_task/{{task_id}}/{{unique_id}}": Example({"unique_id": PUSH_ID}),
    f"POST {_USER}/settings/save_security": Example(
        body={"data": [{"slug": "disable_task_phone", "extra": {"style": 1}}], "code": SECURITY_CODE}
    ),
    # Callbacks
    f"PUT {_USER}/callback": Example(body={"callback_url": "https://crm.example.com/waihu"}),
    f"GET {_USER}/callbacks": Example({**PAGE, "status": "given_up"}),
    f"GET {_USER}/identification/{{unique_id}}": Example({"unique_id": BATCH_ID}),
    "GET /agent-api/download-number": Example({"key": NUMBERS_KEY}),
    # Calling hours
    f"GET {_USER}/dial-time-group": Example(PAGE),
    f"POST {_USER}/dial-time-group": Example(body=HOURS),
    f"PUT {_USER}/dial-time-group/{{group_id}}": Example({"group_id": TIME_GROUP_ID}, HOURS),
    f"DELETE {_USER}/dial-time-group/{{group_id}}": Example({"group_id": TIME_GROUP_ID}),
    # Tokens, users and sub-accounts
    "POST /agent-api/token": Example(body={"user_id": USER_ID, "name": "CRM", "days": 365}),
    "GET /agent-api/tokens": Example(PAGE),
    "GET /agent-api/users": Example({**PAGE, "name": "公司"}),
    "POST /agent-api/users": Example(body=USER),
    "PUT /agent-api/users/{user_id}": Example(body={"name": "甲公司(总部)", "email": "office@example.com"}),
    f"POST {_USER}/authorize": Example(body={"sub_user_id": SUB_USER_ID}),
    f"GET {_USER}/subset_users": Example({**PAGE, "name": "一组"}),
    f"POST {_USER}/subset_users": Example(body=SUB_ACCOUNT),
    f"PUT {_USER}/subset_users/{{sub_user_id}}": Example(body={"subset_data": {"alias": "电销二组"}}),
    # Lines
    "GET /agent-api/new_line_list": Example({"id": TENANT_ID, **PAGE}),
    f"POST {_NEW}/line/{{line_id}}": Example(
        body={"line_concurrency": 10, "deadline_at": "2027-03-01 00:00:00", "price": 0.12}
    ),
    f"DELETE {_NEW}/line/{{line_id}}": Example({"line_id": ALLOCATION_ID}),
    f"PUT {_NEW}/line_bind_group": Example(body={"id": ALLOCATION_ID, "group_ids": [SCRIPT_ID, OTHER_SCRIPT_ID]}),
    # What tasks choose from
    "GET /agent-api/group/{user_id}": Example(PAGE),
    "POST /agent-api/group/{user_id}": Example(body=SCRIPT),
    "PUT /agent-api/group/{user_id}/{script_id}": Example(body={"goodbye": "感谢接听,再见。"}),
    "GET /agent-api/agent_group/tenant/{tenant_id}": Example(PAGE),
    f"GET {_USER}/redial-rule": Example(PAGE),
    f"POST {_USER}/redial-rule": Example(body=REDIAL_RULE),
    f"PUT {_USER}/redial-rule/{{rule_id}}": Example(body={"max_times": 2}),
    f"GET {_USER}/transfer-group": Example(PAGE),
    f"POST {_USER}/transfer-group": Example(body={"name": "人工客服", "members": ["8001", "8002"], "strategy": 1}),
    f"GET {_USER}/transfer-group/{{group_id}}": Example({"group_id": TRANSFER_GROUP_ID}),
    f"PUT {_USER}/transfer-group/{{group_id}}": Example({"group_id": TRANSFER_GROUP_ID}, {"members": ["8001"]}),
    f"DELETE {_USER}/transfer-group/{{group_id}}": Example({"group_id": TRANSFER_GROUP_ID}),
    f"GET {_USER}/quality-config": Example(PAGE),
    f"POST {_USER}/quality-config": Example(body=QUALITY_CONFIG),
    f"PUT {_USER}/quality-config/{{config_id}}": Example(body={"is_default": True}),
    f"GET {_USER}/background-sound": Example(PAGE),
    f"POST {_USER}/background-sound": Example(body={"file": "hall.wav", "name": "超市大厅"}),
    f"GET {_USER}/do-not-call": Example({**PAGE, "keyword": "1000"}),
    f"POST {_USER}/do-not-call": Example(body={"phones": [UNWANTED_PHONE], "source": "投诉"}),
    f"DELETE {_USER}/do-not-call": Example(body={"phones": [UNWANTED_PHONE]}),
    f"GET {_USER}/do-not-call/{{phone}}": Example({"phone": UNWANTED_PHONE}),
    # Money
    f"PUT {_USER}/recharge": Example(body={"amount": 500, "type": 1, "remark": "三月"}),
    f"GET {_USER}/bill_recharge_record": Example({"date[]": MARCH, **PAGE}),
    f"GET {_USER}/call_line_fee": Example({"date[]": MARCH, "type": "all"}),
    "GET /agent-api/vos_bill/{user_id}": Example({"all": 1}),
    "GET /agent-api/vos/{user_id}/get_call_record": Example({"time[]": ["2026-03-04"]}),
    "GET /agent-api/vos/{user_id}/get_recharge": Example({"time[]": MARCH}),
    "GET /agent-api/vos/{user_id}/get_customer_fee": Example({"time[]": MARCH}),
    # Dialogue in text
    "POST /saas/api/customer_service/tenant/{tenant_id}": Example(
        body={
            "talk_id": "chat-17",
            "user_id": USER_ID,
            "message": "",
            "notify": "enter",
            "group_id": SCRIPT_ID,
            "directive": "",
        }
    ),
}
