"""Statements whose filters vary: conditions are lines of SQL, and values never stand in them."""

from collections.abc import Sequence

from asyncpg import Record

from waihu.adapters.postgres.pool import Connection
from waihu.ports.rows import Paging

KEEP = "for key share"
"""Ends a statement that reads rows to be named by others: they stay until the transaction ends, and may be edited."""


class Values(list[object]):
    """The values of a statement, in the order in which it names them."""

    def place(self, value: object) -> str:
        """Takes the value in; answers what stands for it, as `$3`."""
        self.append(value)
        return f"${len(self)}"

    def among(self, column: str, values: Sequence[str]) -> str:
        """The column is one of `values`. A single one is compared directly, which keeps an index in order."""
        if len(values) == 1:
            return f"{column} = {self.place(values[0])}"
        return f"{column} = any({self.place(values)})"

    def contains(self, column: str, part: str) -> str:
        """The column contains `part`, letter case aside."""
        return f"strpos(lower({column}), lower({self.place(part)})) > 0"


async def page(
    connection: Connection,
    read: str,
    *,
    table: str,
    key: str,
    conditions: Sequence[str],
    order: str,
    paging: Paging,
    values: Values,
    total: str | None = None,
) -> tuple[list[Record], int]:
    """The rows of one page as `read` shows them, and how many there are on all pages: one view of the database.

    `key` is what `read` calls the table's id; it shows it as `id`, and what `order` names. `total` is a query for how
    many there are, where that is known; None: they are counted.
    """
    where = " and ".join(conditions)
    # PostgreSQL keeps its plan for a limit that it can see, and plans anew each time for one that it is told.
    limit = f"limit {paging.size}" + (f" offset {values.place(paging.offset)}" if paging.offset else "")
    # The page is found on an index alone; wide rows are read for its few lines only.
    found = await connection.fetch(
        f"""with asked as materialized (
                select ({total or f"select count(*) from {table} where {where}"}) as total, array(
                    select id from {table} where {where} order by {order} {limit}
                ) as ids
            )
            select asked.total, r.* from asked left join lateral ({read} where {key} = any(asked.ids)) r on true
            order by {order}""",
        *values,
    )
    return [row for row in found if row["id"] is not None], found[0]["total"]


def shown(alias: str, prefix: str, columns: str) -> str:
    """The columns of a joined table under names of their own."""
    return ", ".join(f"{alias}.{column} as {prefix}{column}" for column in columns.split(", "))
