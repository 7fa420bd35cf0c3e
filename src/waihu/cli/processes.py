"""The processes that `waihu up` starts; not for people."""

import socket as sockets
from typing import Annotated

import typer
import uvloop

from waihu.cli.frame import Data, app, command, running_of, settings_of
from waihu.data_directory import DataDirectory
from waihu.logs import configure_logs


@command(app, "_api", hidden=True)
def api(socket: Annotated[int, typer.Option("--socket")], data: Data = None) -> None:
    """The HTTP API, on the listening socket with this descriptor."""
    # No other command needs a web server, which takes half a second to load.
    from waihu.bootstrap.api import serve_api

    configure_logs("api", DataDirectory(settings_of(data).data).logs)
    uvloop.run(serve_api(running_of(data), sockets.socket(fileno=socket)))


@command(app, "_engine", hidden=True)
def engine(number: Annotated[int, typer.Option("--number")], data: Data = None) -> None:
    """One dialing engine."""
    from waihu.bootstrap.engine import serve_engine

    directory = settings_of(data).data
    configure_logs(f"engine-{number}", DataDirectory(directory).logs)
    # The next process of this number on this machine and directory takes over from this one.
    uvloop.run(serve_engine(running_of(data), f"{sockets.gethostname()}:{directory}:{number}"))
