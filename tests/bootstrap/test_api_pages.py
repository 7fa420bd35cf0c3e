"""Pages for people that the API process serves: none needs anything from elsewhere."""

import re
from pathlib import Path
from typing import cast

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from waihu.adapters.postgres.pool import Pool
from waihu.application.services import Application
from waihu.bootstrap.api import api_over
from waihu.bootstrap.watch import Watch


@pytest.fixture
def api(tmp_path: Path) -> Litestar:
    """Without anything behind it: pages tell of routes only."""
    return api_over(cast(Application, None), Watch(cast(Pool, None), None), tmp_path)


async def test_the_reference_of_all_apis_loads_nothing(api: Litestar) -> None:
    async with AsyncTestClient(api) as client:
        page = (await client.get("/docs")).text
    assert "<code>/agent-api/users</code>" in page and "<code>/openapi/tasks</code>" in page
    assert page.count("<h4>curl</h4>") == page.count("<h4>Python</h4>") > 110
    assert re.findall(r"<(?:script|link|img|iframe)|\bsrc=|@import|url\(|href=\"(?![#/])", page) == []


async def test_there_is_no_other_page(api: Litestar) -> None:
    async with AsyncTestClient(api) as client:
        for path in ("/schema", "/schema/openapi.json"):
            assert (await client.get(path)).headers["content-type"].startswith("application/"), path
        for path in ("/schema/redoc", "/schema/swagger", "/schema/elements", "/schema/rapidoc"):
            assert (await client.get(path)).status_code == 404, path
