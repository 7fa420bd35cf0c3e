"""An API on a port of this machine, for clients that are no part of the test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def over_http(api: Any) -> AsyncIterator[str]:
    """Its address."""
    server = uvicorn.Server(uvicorn.Config(api, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as tasks:
            # Requests wait at the socket until it serves.
            tasks.create_task(server.serve(sockets=[listening]))
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            server.should_exit = True
