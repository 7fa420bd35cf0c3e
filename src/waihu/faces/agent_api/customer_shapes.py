"""Customers of the CRM pool and the pool's template, as the wire shows them.

Fields with a default are constants: the vendor has the concept and waihu has not.
"""

from typing import Any

from msgspec import Struct

from waihu.faces.agent_api.masks import shown
from waihu.faces.agent_api.places import city_id, operator_code, operator_name, province_id
from waihu.faces.agent_api.times import written
from waihu.ports.customer_rows import Component, Customer, Enrolment
from waihu.ports.privacy import MaskStyle


class TemplateRow(Struct, kw_only=True):
    id: str
    name: str
    type: str
    sort: int
    validate: list[str]


class CustomerRow(Struct, kw_only=True):
    """A line of the pool's list."""

    id: str
    user_id: str
    phone: str
    company: str | None
    email: str | None
    sort: int
    created_at: str
    updated_at: str
    province_id: int | None
    city_id: int | None
    operator: int | None
    extra: str | None
    operator_name: str


class FullCustomer(Struct, kw_only=True):
    id: str
    user_id: str
    created_user_id: str
    phone: str
    company: str | None
    email: str | None
    is_back: int = 0
    source_id: int
    industry_id: int
    grade_id: int
    name: str
    sort: int
    created_at: str
    updated_at: str
    inputted_at: str
    viewed_at: str | None = None
    province_id: int | None
    city_id: int | None
    operator: int | None
    flow: int = 0
    extra: str | None
    sex: int
    expect_transaction_at: str | None = None
    expect_transaction_fee: str = "0.00"
    unfollow_back_at: str | None = None
    unsettled_back_at: str | None = None
    followed_at: str | None = None


class StageRow(FullCustomer, kw_only=True):
    """A line of the list of a stage. The copy of its page is cut after `updated_at`."""

    operator_name: str


class ShownComponent(Struct, kw_only=True):
    """A component in a customer's detail. The copy of the page is cut after `type`."""

    id: str
    user_id: str
    name: str
    type: str
    sort: int
    value: str


class CustomerDetail(FullCustomer, kw_only=True):
    components: list[ShownComponent]


class ComponentInRecord(Struct, kw_only=True):
    """A component as calls show it."""

    id: str
    name: str
    type: str
    value: str


class EnrolmentRow(Struct, kw_only=True):
    """How far customers have come on their way into a task. waihu's own."""

    unique_id: str
    task_id: str
    is_finished: bool
    success: int
    duplicate: int
    do_not_call: int
    created_at: str
    finished_at: str | None


def template_row_of(component: Component) -> TemplateRow:
    return TemplateRow(
        id=component.id,
        name=component.name,
        type=component.kind.value,
        sort=component.sort,
        validate=[rule.value for rule in component.rules],
    )


def customer_row_of(customer: Customer, style: MaskStyle | None) -> CustomerRow:
    place = customer.place
    return CustomerRow(
        id=customer.id,
        user_id=customer.account,
        phone=shown(customer.phone, style),
        company=customer.company,
        email=customer.email,
        sort=customer.sort,
        created_at=written(customer.created_at),
        updated_at=written(customer.updated_at),
        province_id=province_id(place),
        city_id=city_id(place),
        operator=operator_code(place),
        extra=customer.extra,
        operator_name=operator_name(place),
    )


def stage_row_of(customer: Customer, style: MaskStyle | None) -> StageRow:
    return StageRow(**_full(customer, style), operator_name=operator_name(customer.place))


def customer_detail_of(customer: Customer, pool: str, style: MaskStyle | None) -> CustomerDetail:
    """`pool`: the account whose template the components are of."""
    components = [
        ShownComponent(id=each.id, user_id=pool, name=each.name, type=each.kind.value, sort=each.sort, value=each.value)
        for each in customer.components
    ]
    return CustomerDetail(**_full(customer, style), components=components)


def components_in_record(customer: Customer | None) -> list[ComponentInRecord]:
    if customer is None:
        return []
    return [
        ComponentInRecord(id=each.id, name=each.name, type=each.kind.value, value=each.value)
        for each in customer.components
    ]


def enrolment_row_of(enrolment: Enrolment) -> EnrolmentRow:
    return EnrolmentRow(
        unique_id=enrolment.id,
        task_id=enrolment.campaign,
        is_finished=enrolment.finished_at is not None,
        success=enrolment.accepted,
        duplicate=enrolment.duplicate,
        do_not_call=enrolment.do_not_call,
        created_at=written(enrolment.created_at),
        finished_at=written(enrolment.finished_at),
    )


def name_of_customer(name: str | None, phone: str, id: str, style: MaskStyle | None) -> str:
    """The vendor makes up `<phone>_<suffix>` for somebody without a name; ours is the same at every look."""
    return name or f"{shown(phone, style)}_{id[:8]}"


def _full(customer: Customer, style: MaskStyle | None) -> dict[str, Any]:
    place = customer.place
    return {
        "id": customer.id,
        "user_id": customer.account,
        "created_user_id": customer.account,
        "phone": shown(customer.phone, style),
        "company": customer.company,
        "email": customer.email,
        "source_id": customer.source_id or 0,
        "industry_id": customer.industry_id or 0,
        "grade_id": customer.grade_id or 0,
        "name": name_of_customer(customer.name, customer.phone, customer.id, style),
        "sort": customer.sort,
        "created_at": written(customer.created_at),
        "updated_at": written(customer.updated_at),
        "inputted_at": written(customer.created_at),
        "province_id": province_id(place),
        "city_id": city_id(place),
        "operator": operator_code(place),
        "extra": customer.extra,
        "sex": customer.sex,
    }
