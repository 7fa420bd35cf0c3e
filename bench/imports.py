"""A million numbers from a CSV file by `waihu contacts import`, against PostgreSQL's own COPY of the same file."""

import csv
import random
import time
from pathlib import Path

import asyncpg

from bench.figures import Figure, Result, Target
from bench.house import House
from bench.tasks import SHORT, Tasks

ROUNDS = 2
ROWS = 1_000_000
DUPLICATE_SHARE = 0.05
DO_NOT_CALL = 100_000
WITHIN_S = 60

_COLUMNS = ("phone", "name", "extra", "company", "city", "product")
_CITIES = ("北京", "上海", "广州", "深圳", "成都", "杭州", "西安", "武汉")
_SURNAMES = "王李张刘陈杨黄赵周吴"


async def run(directory: Path) -> Result:
    file = directory / "numbers.csv"
    phones, duplicates = _write_file(file)
    expected = {
        "accepted": len(phones) - DO_NOT_CALL,
        "duplicate": duplicates,
        "invalid": 0,
        "do_not_call": DO_NOT_CALL,
    }
    floor_s, subject_s = [], []
    async with House(directory) as house:
        tasks = Tasks(house, SHORT)
        connection = await asyncpg.connect(house.database_url)
        try:
            await connection.copy_records_to_table(
                "do_not_call",
                records=[(house.account, phone) for phone in phones[:DO_NOT_CALL]],
                columns=["account_id", "phone"],
            )
            for _ in range(ROUNDS):
                floor_s.append(await _copy(connection, file))
                task = await tasks.create(channels=10)
                began = time.monotonic()
                report = await house.command("contacts", "import", task, str(file))
                subject_s.append(time.monotonic() - began)
                assert {name: report[name] for name in expected} == expected, report
        finally:
            await connection.close()
    size_mb = file.stat().st_size / 1e6
    file.unlink()
    return Result(
        f"{ROWS:,} numbers from a CSV file",
        [
            Figure(
                what="rows/s",
                unit="rows/s",
                subject=[ROWS / took_s for took_s in subject_s],
                floor=[ROWS / took_s for took_s in floor_s],
                samples=ROUNDS * ROWS,
            ),
            Figure(
                what="whole command",
                unit="s",
                subject=subject_s,
                floor=floor_s,
                comparable=False,
                target=Target("subject", most=WITHIN_S),
            ),
        ],
        [
            f"{size_mb:.0f} MB, {len(_COLUMNS)} columns, {duplicates:,} rows that repeat a number and {DO_NOT_CALL:,} "
            "whose number is on the do-not-call list; the report's counts are checked each time.",
            "The floor stores the lines as they are in a table without an index. waihu reads and checks each row, "
            "looks for duplicates and forbidden numbers, and fills contacts, queue and their indexes.",
        ],
    )


async def _copy(connection: asyncpg.Connection, file: Path) -> float:
    """Seconds."""
    await connection.execute(f"create table floor ({', '.join(f'{column} text' for column in _COLUMNS)})")
    began = time.monotonic()
    with file.open("rb") as source:
        await connection.copy_to_table("floor", source=source, format="csv", header=True)
    took_s = time.monotonic() - began
    await connection.execute("drop table floor")
    return took_s


def _write_file(file: Path) -> tuple[list[str], int]:
    """Writes the file, in random order; answers the different phones in it, and how many rows repeat one.

    No row repeats one of the first `DO_NOT_CALL` phones, so that each row has one reason at most to be turned away.
    """
    rnd = random.Random(1)
    duplicates = int(ROWS * DUPLICATE_SHARE)
    phones = [f"1{30 + number % 10}{number * 7 % 10**8:08d}" for number in range(ROWS - duplicates)]
    rows = phones + rnd.sample(phones[DO_NOT_CALL:], duplicates)
    rnd.shuffle(rows)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(_COLUMNS)
        writer.writerows(
            (
                phone,
                f"{_SURNAMES[number % 10]}先生",
                f"crm-{number:08d}",
                f"第{number % 997}商贸有限公司",
                _CITIES[number % 8],
                f"套餐{number % 20}",
            )
            for number, phone in enumerate(rows)
        )
    return phones, duplicates
