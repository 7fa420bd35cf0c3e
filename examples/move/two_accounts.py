"""The account that is left and the one that is moved to: both speak the same API. The environment says where they are:
OLD and NEW are addresses, OLD_TOKEN and NEW_TOKEN tokens, OLD_USER_ID and NEW_USER_ID the main accounts.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

PER_PAGE = 100


@dataclass
class Account:
    http: httpx.Client
    user_id: str

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """The answer of `/agent-api` + path, in which {user} is the account. A mistake ends the program."""
        path = path.replace("{user}", self.user_id)
        answer = self.http.request(method, path, **sent).json()
        if answer.get("code") != 200:
            sys.exit(f"{method} {path} of {self.http.base_url.host}: {answer.get('message')}")
        return answer

    def rows(self, path: str, **query: Any) -> Iterator[Any]:
        """All rows of a list."""
        page = last_page = 1
        while page <= last_page:
            answer = self.ask("GET", path, params={**query, "page": page, "per_page": PER_PAGE})
            last_page = answer["meta"]["last_page"]
            yield from answer["data"]
            page += 1


def account(name: str) -> Account:
    """`OLD` or `NEW`."""
    headers = {"Authorization": f"Bearer {os.environ[f'{name}_TOKEN']}"}
    http = httpx.Client(base_url=f"{os.environ[name]}/agent-api", headers=headers, timeout=60)
    return Account(http, os.environ[f"{name}_USER_ID"])
