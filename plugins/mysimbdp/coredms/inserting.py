"""INSERT statements of one table, prepared once and bound row by row; what is missing stays UNSET."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mysimbdp.coredms.binding import bindable, needs_a_value, placeholder
from mysimbdp.coredms.faults import fault_of
from mysimbdp.coredms.identifiers import quoted
from mysimbdp.tenants.cqltypes import CqlType


class Inserts:
    """Binds rows of `keyspace.table_name`, whose columns have the CQL types `types`.

    A column whose marker cannot stay unset (see binding.py) is left out of the statement for rows that have no value
    for it; so there may be several prepared statements, one per set of columns.
    """

    def __init__(self, session: Any, keyspace: str, table_name: str, types: dict[str, CqlType]) -> None:
        self._session = session
        self._target = f"{quoted(keyspace)}.{quoted(table_name)}"
        self._types = types
        self._prepared: dict[tuple[str, ...], Any] = {}

    async def bound(self, rows: pa.RecordBatch) -> BoundRows:
        """Convert `rows` (columns typed as coredms.types says) and prepare the statements they need.

        Raises:
            TransientError, TerminalError: see coredms.faults; SCHEMA_NOT_APPLIED when table or column is missing.
        """
        names = tuple(rows.schema.names)
        columns = [bindable(rows.column(name), self._types[name]) for name in names]
        touchy = [
            index
            for index, name in enumerate(names)
            if needs_a_value(self._types[name]) and rows.column(index).null_count
        ]
        values = list(zip(*columns, strict=True))
        plain = await self._statement(names)
        if not touchy:
            has_nulls = any(rows.column(index).null_count for index in range(len(names)))
            return BoundRows(values, [plain] * len(values), has_nulls=has_nulls)
        statements = []
        for number, row in enumerate(values):
            absent = {index for index in touchy if row[index] is None}
            if absent:
                kept = tuple(name for index, name in enumerate(names) if index not in absent)
                values[number] = tuple(value for index, value in enumerate(row) if index not in absent)
                statements.append(await self._statement(kept))
            else:
                statements.append(plain)
        return BoundRows(values, statements, has_nulls=True)

    async def _statement(self, names: tuple[str, ...]) -> Any:
        if names not in self._prepared:
            markers = ", ".join(placeholder(self._types[name]) for name in names)
            cql = f"INSERT INTO {self._target} ({', '.join(map(quoted, names))}) VALUES ({markers})"
            try:
                self._prepared[names] = await self._session.create_prepared(cql)
            except Exception as error:
                raise fault_of(error) from error
        return self._prepared[names]


class BoundRows:
    """Rows ready to be sent: `statement(i)` makes the statement of row i."""

    def __init__(self, values: Sequence[tuple[Any, ...]], prepared: Sequence[Any], *, has_nulls: bool) -> None:
        self._values = values
        self._prepared = prepared
        self._has_nulls = has_nulls

    def statement(self, index: int) -> Any:
        """A fresh acsylla statement; a None is not bound at all, which leaves the cell untouched in coredms."""
        row = self._values[index]
        if not self._has_nulls:
            return self._prepared[index].bind(row)
        statement = self._prepared[index].bind()
        for position, value in enumerate(row):
            if value is not None:
                statement.bind(position, value)
        return statement
