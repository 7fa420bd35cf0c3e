"""Parts are real processes here; what they are told and in which order shows in a file they write."""

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from waihu.supervisor import PartFailed, ProgramPart, Stopping, Supervisor, told

PATIENCE_S = 30

PART = textwrap.dedent("""
    import os, signal, sys, time
    name, journal = sys.argv[1:3]
    def note(word):
        with open(journal, "a") as file:
            file.write(f"{name} {word} {os.getpid()}\\n")
    def end(*_):
        note("ended")
        sys.exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in name else end)
    note("started")
    while True:
        time.sleep(60)
""")


class Journal:
    def __init__(self, path: Path) -> None:
        self.path = path

    def part(self, name: str, patience_s: float = 10) -> ProgramPart:
        return ProgramPart(name, [sys.executable, "-c", PART, name, str(self.path)], patience_s=patience_s)

    def words(self) -> list[str]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    async def pid(self, name: str, start: int = 1) -> int:
        """Of the `start`-th process of that name, as soon as it is there."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                lines = self.path.read_text().splitlines() if self.path.exists() else []
                started = [line for line in lines if line.startswith(f"{name} started")]
                if len(started) >= start:
                    return int(started[start - 1].rpartition(" ")[2])
                await asyncio.sleep(0.02)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


async def test_parts_end_in_reverse_order(journal: Journal) -> None:
    supervisor = Supervisor()
    for name in ("first", "second", "third"):
        await supervisor.start(journal.part(name))
        await journal.pid(name)
    await supervisor.stop()
    assert journal.words()[3:] == ["third ended", "second ended", "first ended"]


async def test_a_part_that_is_killed_is_started_again_and_the_others_are_left_alone(journal: Journal) -> None:
    supervisor = Supervisor()
    for name in ("first", "second"):
        await supervisor.start(journal.part(name))
    other = await journal.pid("second")
    keeping = asyncio.create_task(supervisor.keep())
    for life in (1, 2):
        os.kill(await journal.pid("first", life), signal.SIGKILL)
    await journal.pid("first", 3)
    os.kill(other, 0)
    supervisor.ask_to_stop()
    await keeping
    await supervisor.stop()
    assert journal.words().count("second started") == 1


async def test_a_part_that_does_not_listen_is_killed(journal: Journal) -> None:
    supervisor = Supervisor()
    await supervisor.start(journal.part("stubborn", patience_s=0.2))
    pid = await journal.pid("stubborn")
    await supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_part_that_cannot_start_fails_the_start(journal: Journal) -> None:
    class Broken:
        name = "broken"

        async def start(self) -> None:
            raise PartFailed("there is no such thing")

        def exit_status(self) -> int | None:
            return None

        async def stop(self) -> None:
            pass

    with pytest.raises(PartFailed, match="no such thing"):
        await Supervisor().start(Broken())


async def test_a_start_is_given_up_when_asked_to_stop() -> None:
    class Slow:
        name = "slow"
        given_up = False

        async def start(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up = True

        def exit_status(self) -> int | None:
            return None

        async def stop(self) -> None:
            pass

    supervisor, slow = Supervisor(), Slow()
    asyncio.get_running_loop().call_later(0.05, supervisor.ask_to_stop)
    with pytest.raises(Stopping):
        await supervisor.start(slow)
    assert slow.given_up


async def test_parts_die_with_a_supervisor_that_is_killed(journal: Journal, tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import asyncio, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_supervisor import Journal, Supervisor
        async def main():
            supervisor = Supervisor()
            await supervisor.start(Journal(Path({str(journal.path)!r})).part("orphan"))
            await supervisor.keep()
        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await journal.pid("orphan")
    process.kill()
    await process.wait()
    async with asyncio.timeout(PATIENCE_S):
        while "orphan ended" not in journal.words():  # noqa: ASYNC110 (another process writes it)
            await asyncio.sleep(0.02)


def test_exit_statuses_are_told_in_words() -> None:
    assert told(-9) == "killed by SIGKILL"
    assert told(1) == "exit code 1"
