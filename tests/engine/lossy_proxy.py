"""A road to the database on which an answer can get lost: what was asked has happened, and nobody hears of it."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class LossyProxy:
    """Listens on loopback and passes everything on to the server of `url`, until told otherwise."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._fatal_words: bytes | None = None
        self._breaks = True
        self._roads: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "LossyProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for road in self._roads:
            road.cancel()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        login = self._url.netloc.rpartition("@")[0]
        return self._url._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()

    def lose_answer_to(self, words: bytes) -> None:
        """The next message that contains `words` is delivered; then the connection breaks instead of an answer."""
        self._fatal_words, self._breaks = words, True

    def swallow_answer_to(self, words: bytes) -> None:
        """The next message that contains `words` is delivered; then nothing comes back on a connection that stands."""
        self._fatal_words, self._breaks = words, False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._roads.add(task)
        task.add_done_callback(self._roads.discard)
        server_reader, server_writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        back = asyncio.ensure_future(self._pass_on(server_reader, writer))
        try:
            while data := await reader.read(65536):
                fatal = self._fatal_words is not None and self._fatal_words in data
                if fatal:
                    self._fatal_words = None
                    back.cancel()
                    with suppress(asyncio.CancelledError):
                        await back
                server_writer.write(data)
                await server_writer.drain()
                if fatal and self._breaks:
                    await server_reader.read(65536)
                    return
        except ConnectionError:
            pass
        finally:
            back.cancel()
            writer.transport.abort()
            server_writer.close()

    @staticmethod
    async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
