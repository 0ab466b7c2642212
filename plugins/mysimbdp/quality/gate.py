"""The gate: each row of an app ends typed for its table, or rejected with the column, the value and the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mysimbdp.coredms.types import arrow_type
from mysimbdp.errors import Code
from mysimbdp.formats.fieldnames import Field, match
from mysimbdp.quality.conversion import Converted, Fault, convert
from mysimbdp.quality.rejects import RejectedRow, shown
from mysimbdp.tenants.model import Table

MAX_KEY_BYTES = 65_535
"""Cassandra's limit for a value that is part of the primary key."""

MAX_ROW_BYTES = 8 * 2**20
"""Half of Cassandra's largest mutation (16 MiB), which leaves room for its own overhead."""

_LINEAGE = ("_source", "_line")


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of a batch: every row is in `rows` or in `rejected`, once.

    `rows` has the table's columns that the batch had (typed by `coredms.types.arrow_type`, in the table's order; absent
    ones stay absent) and `_source`. `source_is_record` is False when the app gave no `_source`: then it is the number
    of the row in the app's output.
    """

    rows: pa.RecordBatch
    rejected: list[RejectedRow]
    source_is_record: bool


class Gate:
    """Checks the batches of one file, in order."""

    def __init__(self, table: Table, table_name: str, file_name: str) -> None:
        self.table_name = table_name
        self.file_name = file_name
        self.rows_in = 0
        """Rows of the app seen so far."""
        self._table = table
        self._required = table.required_columns
        self._key = {*table.partition_key, *table.clustering_key}
        self._fields = [
            Field(name, column.from_ or name, name in self._required) for name, column in table.columns.items()
        ]

    def admit(self, batch: pa.RecordBatch) -> Admitted:
        """Type the rows of `batch`; a bad row never blocks its neighbours."""
        count = batch.num_rows
        source, source_is_record = self._source(batch)
        self.rows_in += count
        present = match(self._fields, [name for name in batch.schema.names if name not in _LINEAGE])
        columns: dict[str, pa.Array] = {}
        faults: dict[int, tuple[str, Fault]] = {}
        for name in self._table.columns:
            converted = self._column(name, batch, present)
            if converted is None:
                continue
            if name in present:
                columns[name] = converted.values
            for index, fault in converted.faults.items():
                faults.setdefault(index, (name, fault))
        rows = pa.RecordBatch.from_arrays([*columns.values(), source], names=[*columns, "_source"])
        self._too_large(rows, faults)
        if not faults:
            return Admitted(rows, [], source_is_record)
        lines = batch.column("_line") if "_line" in batch.schema.names else None
        rejected = [
            RejectedRow(
                source[index].as_py() if source_is_record else None,
                lines[index].as_py() if lines is not None else None,
                column or None,
                shown(fault.value),
                fault.code,
                fault.reason,
            )
            for index, (column, fault) in sorted(faults.items())
        ]
        kept = pa.array([index for index in range(count) if index not in faults], pa.int64())
        return Admitted(rows.take(kept), rejected, source_is_record)

    def _source(self, batch: pa.RecordBatch) -> tuple[pa.Array, bool]:
        if "_source" in batch.schema.names:
            given = batch.column("_source")
            if given.type == pa.int64() and not given.null_count:
                return given, True
        return pa.array(range(self.rows_in + 1, self.rows_in + batch.num_rows + 1), pa.int64()), False

    def _column(self, name: str, batch: pa.RecordBatch, present: dict[str, str]) -> Converted | None:
        """Convert the column and add a fault for each required value that is missing; None: absent and optional."""
        column = self._table.columns[name]
        required = name in self._required
        if name not in present:
            if not required:
                return None
            converted = Converted(pa.nulls(batch.num_rows, arrow_type(column.type)), {})
        else:
            converted = convert(batch.column(present[name]), column.type)
        faults = dict(converted.faults)
        values = converted.values
        if required:
            self._add(faults, _nonzero(pc.is_null(values)), Fault(Code.VALUE_MISSING, self._missing(name), None))
        if name in self._key and (pa.types.is_string(values.type) or pa.types.is_binary(values.type)):
            length = pc.binary_length(values)
            # Cassandra refuses an empty value as the whole partition key, so none is taken in any key.
            self._add(faults, _nonzero(pc.equal(length, 0)), Fault(Code.VALUE_MISSING, self._missing(name), None))
            too_long = Fault(Code.VALUE_OUT_OF_RANGE, f"a key holds at most {MAX_KEY_BYTES} bytes", None)
            self._add(faults, _nonzero(pc.greater(length, MAX_KEY_BYTES)), too_long)
        return Converted(values, faults)

    def _missing(self, name: str) -> str:
        kind = "part of the key" if name in self._key else "required"
        return f"there is no value, and {name} is {kind}"

    def _too_large(self, rows: pa.RecordBatch, faults: dict[int, tuple[str, Fault]]) -> None:
        wide = [column for column in rows.columns if pa.types.is_string(column.type) or pa.types.is_binary(column.type)]
        if not wide or rows.nbytes <= MAX_ROW_BYTES:
            return
        lengths = [pc.fill_null(pc.binary_length(column).cast(pa.int64()), 0) for column in wide]
        total = lengths[0]
        for length in lengths[1:]:
            total = pc.add(total, length)
        for index in _nonzero(pc.greater(total, MAX_ROW_BYTES)):
            reason = f"the row has {total[index].as_py()} bytes, {MAX_ROW_BYTES} are allowed"
            faults.setdefault(index, ("", Fault(Code.ROW_TOO_LARGE, reason, None)))

    @staticmethod
    def _add(faults: dict[int, Fault], indexes: Iterable[int], fault: Fault) -> None:
        for index in indexes:
            faults.setdefault(index, fault)


def _nonzero(mask: pa.Array) -> list[int]:
    indexes: list[int] = pc.indices_nonzero(pc.fill_null(mask, fill_value=False)).to_pylist()
    return indexes
