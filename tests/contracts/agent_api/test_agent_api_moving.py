"""The programs of examples/move, as somebody runs them who leaves one server of this API for another."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from agent_world import Tenant
from litestar import Litestar
from over_http import over_http

from waihu.application.services import Application
from waihu.faces import agent_api

pytestmark = pytest.mark.ours

PROGRAMS = Path(__file__).parents[3] / "examples/move"
DAYS = [{"week": 1, "times": [{"begin_time": "08:00", "end_time": "20:00"}]}]

Run = Callable[..., Awaitable[str]]


@pytest.fixture
async def run(application: Application, tenant: Tenant, stranger: Tenant, tmp_path: Path) -> AsyncIterator[Run]:
    """Runs a program that moves from `tenant` to `stranger`. Answers what it says; one that fails raises."""
    async with over_http(Litestar([agent_api.router(application)], logging_config=None)) as address:
        where = {"OLD": address, "NEW": address, "NO_PROXY": "127.0.0.1"}
        where |= {"OLD_USER_ID": tenant.user_id, "OLD_TOKEN": tenant.token}
        where |= {"NEW_USER_ID": stranger.user_id, "NEW_TOKEN": stranger.token}

        async def run(program: str, *arguments: str) -> str:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(PROGRAMS / program), *arguments),
                cwd=tmp_path,
                env={**os.environ, **where},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, error = await process.communicate()
            if process.returncode:
                raise RuntimeError(error.decode())
            return out.decode()

        yield run


async def test_an_account_is_copied(tenant: Tenant, stranger: Tenant, run: Run) -> None:
    hours = {"name": "周一", "content": DAYS, "is_default": False, "skip_holiday": True}
    await tenant.ask("POST", "/user/{user}/dial-time-group", hours)
    field = await tenant.ask("POST", "/user/{user}/customer/component", {"name": "车型", "type": "text"})
    customers = [
        {"phone": f"1001{place:07}", "name": f"客户{place}", "extra": f" {place} ", "sex": 2} for place in range(201)
    ]
    customers[0]["components"] = [{"id": field["data"]["id"], "value": "轿车"}]
    for begin in (0, 200):
        await tenant.ask("POST", "/user/{user}/async_customer", {"data": customers[begin : begin + 200]})
    person = {"name": "一组", "email": "team1@example.com", "phone": "10000000012"}
    secret = {"password": "change-me-1", "password_confirmation": "change-me-1"}
    old = await tenant.ask("POST", "/user/{user}/subset_users", person | secret)

    said = await run("copy_account.py")

    groups = (await stranger.ask("GET", "/user/{user}/dial-time-group"))["data"]
    (group,) = (each for each in groups if each["name"] == "周一")
    assert (group["content"][0]["week"], group["skip_holiday"]) == (1, True)
    found = await stranger.ask("GET", "/user/{user}/get_customer", phone="10010000000")
    assert found["meta"]["total"] == 1
    detail = (await stranger.ask("GET", f"/user/{{user}}/customer/detail/{found['data'][0]['id']}"))["data"]
    assert (detail["name"], detail["extra"], detail["sex"]) == ("客户0", " 0 ", 2)
    assert "轿车" in {each["value"] for each in detail["components"] if each["name"] == "车型"}
    assert (await stranger.ask("GET", "/user/{user}/get_customer"))["meta"]["total"] == 201
    (sub,) = (await stranger.ask("GET", "/user/{user}/subset_users"))["data"]
    assert f"sub-account 一组: {old['data']['id']} is now {sub['id']}, password " in said


async def test_copying_again_changes_nothing(tenant: Tenant, stranger: Tenant, run: Run) -> None:
    await tenant.ask("POST", "/user/{user}/async_customer", {"data": [{"phone": "10010000001", "name": "客户"}]})
    await run("copy_account.py")

    assert await run("copy_account.py") == ""


async def test_numbers_that_were_not_called_are_taken_out(tenant: Tenant, line: str, run: Run, tmp_path: Path) -> None:
    task = await tenant.make_v2(line)
    rows = [{"phone": f"1001{place:07}", "name": "王芳", "extra": f" {place},"} for place in range(150)]
    for begin in (0, 100):
        body = {"data": rows[begin : begin + 100], "ignore_crm": True}
        await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", body)

    said = await run("take_out_numbers.py", task, "numbers.csv")

    assert said == "150 numbers are in numbers.csv, 0 of them or later ones are left in the old task\n"
    written = (tmp_path / "numbers.csv").read_text(encoding="utf-8").splitlines()
    assert written[:2] == ["phone,name,extra", '10010000000,王芳," 0,"'] and len(written) == 151
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/number"))["data"] == []


async def test_from_a_running_task_nothing_is_taken_and_a_second_try_goes_on(
    tenant: Tenant, line: str, run: Run, tmp_path: Path
) -> None:
    task = await tenant.make_v2(line)
    await tenant.ask("POST", f"/user/{{user}}/task/{task}/number", {"data": [{"phone": "10010000001"}]})
    await tenant.ask("PUT", f"/new/user/{{user}}/task_start/{task}")

    with pytest.raises(RuntimeError, match="任务启动中"):
        await run("take_out_numbers.py", task, "numbers.csv")
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/number"))["meta"]["total"] == 1

    await tenant.ask("PUT", f"/new/user/{{user}}/task_stop/{task}")
    await run("take_out_numbers.py", task, "numbers.csv")
    assert (tmp_path / "numbers.csv").read_text(encoding="utf-8").splitlines()[1:] == ["10010000001,,"]
    assert (await tenant.ask("GET", f"/user/{{user}}/task/{task}/number"))["meta"]["total"] == 0
