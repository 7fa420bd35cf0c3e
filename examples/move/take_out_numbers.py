"""Takes numbers out of a stopped task of the old account, into a file that `waihu contacts import` takes in:

    python examples/move/take_out_numbers.py TASK_ID FILE [STATUS …]

STATUS are the statuses of the numbers that move, 0 (not called yet) unless others are named. When it breaks off, it may
be run again with the same file.
"""

import csv
import sys
from pathlib import Path

from two_accounts import Account, account

DELETED_AT_ONCE = 100


def take_out(old: Account, task: str, file: Path, statuses: list[int]) -> None:
    path = f"/user/{{user}}/task/{task}"
    rows = list(old.rows(f"{path}/number", **{"status[]": statuses}))
    # They are in the file before they are deleted, so that whatever breaks off, none is lost.
    written = keep(file, [[row["number"], row.get("name"), row.get("extra")] for row in rows])
    for begin in range(0, len(rows), DELETED_AT_ONCE):
        batch = [{"phone": row["number"]} for row in rows[begin : begin + DELETED_AT_ONCE]]
        old.ask("DELETE", f"{path}/number-batch-delete", json={"customer_info_list": batch})
    left = sum(1 for _ in old.rows(f"{path}/number", **{"status[]": statuses}))
    print(f"{written} numbers are in {file}, {left} of them or later ones are left in the old task")
    if left:
        sys.exit("Import nothing yet. Is the task stopped, and does nobody add numbers to it? Then run this again.")


def keep(file: Path, rows: list[list[str | None]]) -> int:
    """Adds the rows whose numbers are not in the file yet. Answers how many it has then."""
    is_new = not file.exists()
    known = set()
    if not is_new:
        with file.open(newline="", encoding="utf-8") as source:
            known = {row["phone"] for row in csv.DictReader(source)}
    added = [row for row in rows if row[0] not in known]
    with file.open("a", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        if is_new:
            writer.writerow(["phone", "name", "extra"])
        writer.writerows(added)
    return len(known) + len(added)


if __name__ == "__main__":
    _, task, file, *statuses = sys.argv
    take_out(account("OLD"), task, Path(file), [int(status) for status in statuses] or [0])
