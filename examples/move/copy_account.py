"""Copies an account's calling hours, customer fields, customers and sub-accounts: python examples/move/copy_account.py

What the new account has already, by its name or phone, stays as it is, so that this may be run again.
"""

import secrets
from typing import Any

from two_accounts import Account, account

ROWS_MAX = 200
"""Customers in one import."""


def copy_hours(old: Account, new: Account) -> None:
    known = {group["name"] for group in new.rows("/user/{user}/dial-time-group")}
    for group in old.rows("/user/{user}/dial-time-group"):
        if group["name"] not in known:
            names = ("name", "content", "is_default", "skip_holiday", "remark")
            new.ask("POST", "/user/{user}/dial-time-group", json={name: group.get(name) for name in names})
            print(f"calling hours {group['name']}")


def copy_fields(old: Account, new: Account) -> dict[str, str]:
    """Answers the new ids of the old fields."""
    ids = {field["name"]: field["id"] for field in new.ask("GET", "/user/{user}/customer/create")["data"]}
    moved = {}
    for field in old.ask("GET", "/user/{user}/customer/create")["data"]:
        if field["name"] not in ids:
            body = {name: field[name] for name in ("name", "type", "validate")}
            ids[field["name"]] = new.ask("POST", "/user/{user}/customer/component", json=body)["data"]["id"]
            print(f"field {field['name']}")
        moved[field["id"]] = ids[field["name"]]
    return moved


def copy_customers(old: Account, new: Account, fields: dict[str, str]) -> None:
    known = {customer["phone"] for customer in new.rows("/user/{user}/get_customer")}
    waiting: list[dict[str, Any]] = []

    def send() -> None:
        report = new.ask("POST", "/user/{user}/async_customer", json={"data": waiting, "skip_error": True})["data"]
        print(f"customers: {report['success']} of {report['total']}, refused: {report['errors']}")
        waiting.clear()

    for row in old.rows("/user/{user}/get_customer"):
        if row["phone"] not in known:
            # A list does not show everything of a customer.
            whole = old.ask("GET", f"/user/{{user}}/customer/detail/{row['id']}")["data"]
            names = ("phone", "name", "company", "email", "sex", "extra")
            values = [
                {"id": fields[value["id"]], "value": value["value"]}
                for value in whole["components"]
                if value.get("value") not in (None, "")
            ]
            waiting.append({**{name: whole.get(name) for name in names}, "components": values})
        if len(waiting) == ROWS_MAX:
            send()
    if waiting:
        send()


def copy_sub_accounts(old: Account, new: Account) -> None:
    known = {sub["name"] for sub in new.rows("/user/{user}/subset_users")}
    for sub in old.rows("/user/{user}/subset_users"):
        if sub["name"] not in known:
            # The old password is known to nobody.
            password = secrets.token_urlsafe(12)
            body = {name: sub[name] for name in ("name", "email", "phone")}
            passwords = {"password": password, "password_confirmation": password}
            made = new.ask("POST", "/user/{user}/subset_users", json={**body, **passwords})["data"]
            print(f"sub-account {sub['name']}: {sub['id']} is now {made['id']}, password {password}")


if __name__ == "__main__":
    old, new = account("OLD"), account("NEW")
    copy_hours(old, new)
    copy_customers(old, new, copy_fields(old, new))
    copy_sub_accounts(old, new)
