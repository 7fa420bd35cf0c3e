"""What a client of VoiceFox would send, call by call, for the reference."""

from waihu.faces.examples import Example, Examples, Variable

_ACCOUNT = {"X-Waihu-Account": Variable("USER_ID")}
_ONE = Example({**_ACCOUNT, "taskID": Variable("TASK_NUMBER", is_number=True)})

EXAMPLES: Examples = {
    "GET /openapi/tasks/{taskID}": _ONE,
    "GET /openapi/tasks": Example({**_ACCOUNT, "pageIndex": 1, "pageSize": 20}),
    "POST /openapi/tasks": Example(
        _ACCOUNT,
        {
            "name": "三月回访",
            "assistantId": Variable("SCRIPT_ID", is_number=True),
            "concurrency": 2,
            "option": {
                "numbers": [Variable("ALLOCATION_ID", is_number=True)],
                "startTime": [["09:00", "12:00"], ["13:30", "19:00"]],
                "retryCount": 2,
                "retryInterval": 30,
            },
            "items": [{"phone": "10000000001", "name": "王芳", "extra": {"订单号": "17"}}],
        },
    ),
    "POST /openapi/tasks/{taskID}/start": _ONE,
    "POST /openapi/tasks/{taskID}/stop": _ONE,
}
