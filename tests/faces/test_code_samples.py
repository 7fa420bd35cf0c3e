"""Code for the calls of a reference. That all of it runs is shown in contracts/agent_api/test_reference_samples.py."""

from typing import Any

import pytest

from waihu.faces.examples import Example, Variable
from waihu.faces.operations.code_samples import with_samples

pytestmark = pytest.mark.ours

TOKEN: list[dict[str, list[str]]] = [{"BearerToken": []}]
CAT = Variable("CAT_ID", is_number=True)


def query(name: str) -> dict[str, str]:
    return {"name": name, "in": "query"}


def samples(call: str, example: Example, **operation: Any) -> tuple[str, str]:
    """In curl and in Python."""
    method, path = call.split()
    document = {"paths": {path: {method.lower(): {"security": TOKEN, **operation}}}}
    told = with_samples(document, {call: example})["paths"][path][method.lower()]
    curl, python = (sample["source"] for sample in told["x-codeSamples"])
    return curl, python


JSON_BODY = {"requestBody": {"content": {"application/json": {"schema": {}}}}}


def test_what_the_path_names_is_a_variable_of_its_name() -> None:
    in_path = [{"name": name, "in": "path"} for name in ("taskID", "cat_id")]

    curl, python = samples("GET /tasks/{taskID}/cats/{cat_id}", Example(), parameters=in_path)

    assert curl == 'curl "$WAIHU/tasks/$TASK_ID/cats/$CAT_ID" \\\n  -H "Authorization: Bearer $TOKEN"'
    assert 'f"{WAIHU}/tasks/{TASK_ID}/cats/{CAT_ID}"' in python


def test_a_query_says_a_name_as_often_as_it_has_values() -> None:
    curl, python = samples(
        "GET /cats", Example({"date[]": ["a", "b"], "page": 1}), parameters=[*map(query, ("date[]", "page"))]
    )

    assert curl.startswith('curl -G "$WAIHU/cats"')
    assert curl.count("--data-urlencode") == 3
    assert 'params={"date[]": ["a", "b"], "page": 1}' in python


def test_a_body_has_variables_where_the_client_knows_more() -> None:
    body = {"name": "毛毛", "cat": CAT, "owner": Variable("OWNER_ID"), "is_old": False, "toys": None}

    curl, python = samples("POST /cats", Example(body=body), **JSON_BODY)

    assert '{"name": "毛毛", "cat": $CAT_ID, "owner": "$OWNER_ID", "is_old": false, "toys": null}\nJSON' in curl
    assert 'json={"name": "毛毛", "cat": CAT_ID, "owner": OWNER_ID, "is_old": False, "toys": None}' in python


def test_what_the_shell_would_read_is_told_it_as_text() -> None:
    curl, _ = samples("POST /cats", Example(body={"name": 'a"b', "price": "$5`"}), **JSON_BODY)
    asked, _ = samples("GET /cats", Example({"name": '$HOME "x"'}), parameters=[query("name")])

    assert r'{"name": "a\\"b", "price": "\$5\`"}' in curl
    assert r'--data-urlencode "name=\$HOME \"x\""' in asked


def test_a_deletion_may_have_a_body() -> None:
    curl, python = samples("DELETE /cats", Example(body={"ids": [CAT]}), **JSON_BODY)

    assert "-X DELETE" in curl
    assert 'httpx.request(\n    "DELETE",\n    f"{WAIHU}/cats",' in python


def test_a_file_is_sent_as_a_form() -> None:
    schema = {"properties": {"file": {"type": "string", "format": "binary"}, "name": {"type": "string"}}}
    form = {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}

    curl, python = samples("POST /sounds", Example(body={"file": "hall.wav", "name": "厅"}), **form)

    assert '-F "file=@hall.wav"' in curl and '-F "name=厅"' in curl and "-X" not in curl
    assert 'files={"file": open("hall.wav", "rb")}' in python and 'data={"name": "厅"}' in python


def test_a_recording_is_kept() -> None:
    curl, python = samples("GET /call", Example(), responses={"200": {"content": {"audio/wav": {}}}})

    assert curl.endswith("-o answer.wav")
    assert python.endswith('Path("answer.wav").write_bytes(answer.content)')


@pytest.mark.parametrize("security", [None, [{}, *TOKEN]])
def test_where_no_token_is_needed_none_is_sent(security: object) -> None:
    curl, python = samples("GET /cats", Example(), security=security)

    assert "TOKEN" not in curl + python


def test_long_values_have_an_entry_on_each_line() -> None:
    body = {"name": "毛毛", "toys": [{"name": f"toy {n}", "colour": "a very bright and shiny red"} for n in range(2)]}

    _, python = samples("POST /cats", Example(body=body), **JSON_BODY)

    assert (
        """    json={
        "name": "毛毛",
        "toys": [
            {"name": "toy 0", "colour": "a very bright and shiny red"},
            {"name": "toy 1", "colour": "a very bright and shiny red"},
        ],
    },
"""
        in python
    )


def test_the_parameters_of_a_path_come_in_its_order() -> None:
    named = [query("page"), *({"name": name, "in": "path"} for name in ("toy_id", "cat_id"))]
    path = "/cats/{cat_id}/toys/{toy_id}"

    told = with_samples({"paths": {path: {"get": {"parameters": named}, "summary": "Toys"}}}, {})["paths"][path]

    assert [each["name"] for each in told["get"]["parameters"]] == ["cat_id", "toy_id", "page"]
    assert told["summary"] == "Toys"
