"""Whatever a client sends is read, or refused with the names of the fields; nothing else ever comes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from waihu.domain.errors import Invalid
from waihu.faces.agent_api.numbers import DeleteBody, NumberQuery, NumbersBody, ResetBody
from waihu.faces.agent_api.php import query_values
from waihu.faces.agent_api.reading import read
from waihu.faces.agent_api.task_bodies import NewExtrasBody, NewTaskBodyV2, TaskBodyV1, fields_v2, new_rules
from waihu.faces.agent_api.time_groups import NewTimeGroup, TimeGroupBody

pytestmark = pytest.mark.ours

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "1", "0", "x", "09:00", "24:00", "2026-03-04 12:00:00", "\0", "[1,2]", "[["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "week", "times"]), inner),
    max_leaves=8,
)


def bodies(of: type[Struct], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(of.__struct_fields__, VALUES) | known)


EXTRAS = bodies(NewExtrasBody) | VALUES


@given(bodies(TaskBodyV1))
def test_a_1_0_task(values: dict[str, Any]) -> None:
    try:
        new_rules(read(TaskBodyV1, values))
    except Invalid as refused:
        assert refused.problems


@given(bodies(NewTaskBodyV2, task_extras=EXTRAS))
def test_a_2_0_task(values: dict[str, Any]) -> None:
    known = {"name": "任务", "destination_extension": 1, "dial_time_id": 1, "maximumcall": 1}
    for sent in (values, values | known):
        try:
            body = read(NewTaskBodyV2, sent)
            new_rules(body)
            fields_v2(body)
        except Invalid as refused:
            assert refused.problems


@given(EXTRAS)
def test_the_extras_of_a_2_0_task(extras: Any) -> None:
    known = {"name": "任务", "destination_extension": 1, "dial_time_id": 1, "maximumcall": 1}
    times = {"line": [], "holiday": [], "start_time": "2026-03-04 12:00:00", "stop_time": "2026-03-05 12:00:00"}
    if isinstance(extras, dict):
        extras = times | extras
    try:
        new_rules(read(NewTaskBodyV2, known | {"task_extras": extras}))
    except Invalid as refused:
        assert refused.problems


@pytest.mark.parametrize("struct", [NumbersBody, ResetBody, DeleteBody, NewTimeGroup, TimeGroupBody])
@given(data=st.data())
def test_other_bodies(struct: type[Struct], data: st.DataObject) -> None:
    try:
        read(struct, data.draw(bodies(struct)))
    except Invalid as refused:
        assert refused.problems


@given(st.binary(max_size=60) | st.text("ab[]=&01%", max_size=30).map(str.encode))
def test_a_query(query: bytes) -> None:
    try:
        read(NumberQuery, query_values(query))
    except Invalid as refused:
        assert refused.problems
