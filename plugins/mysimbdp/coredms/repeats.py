"""Which rows of a file have a key that a later row of it repeats: exact, in bounded memory.

A key that is one whole number stands for itself; numbers that only rise, as record numbers do, are not even compared.
Any other key becomes a 128-bit digest: two keys of a 100-million-row file share one with a probability below 10**-22.
All lie in a scratch file, 16 bytes a row, and are compared in as many passes over it as memory needs: about 1 us a row.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DIGEST_BYTES = 16
DIGESTS_AT_ONCE = 1_000_000
"""Compared in one pass over the scratch file; about 80 bytes of memory each."""
READ_AT_ONCE = 100_000


class Repeats:
    """Finds repeated keys; the scratch file lies in `folder` and is gone at the end, whatever happens."""

    def __init__(self, folder: Path) -> None:
        self._scratch: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by __exit__
        self._rows = 0
        self._rising = True
        self._last: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()

    def add(self, keys: pa.RecordBatch) -> None:
        """Add the key columns of some rows."""
        self._rows += keys.num_rows
        number = _as_number(keys)
        if number is None:
            self._rising = False
            self._scratch.write(_digests(keys))
        else:
            self._rising = self._rising and self._rises(number)
            padded = np.zeros((len(number), 2), np.int64)
            padded[:, 0] = number
            self._scratch.write(padded.tobytes())

    def repeated(self) -> Any:
        """A numpy array of bool, true where a row's key comes again after it; None when no key does."""
        if self._rising:
            return None
        mask = None
        passes = -(-self._rows // DIGESTS_AT_ONCE)
        for number in range(passes):
            found = self._followed(number, passes)
            if len(found):
                mask = np.zeros(self._rows, np.bool_) if mask is None else mask
                mask[found] = True
        return mask

    def _rises(self, number: Any) -> bool:
        rises = bool(np.all(number[1:] > number[:-1])) and (self._last is None or bool(number[0] > self._last))
        self._last = int(number[-1])
        return rises

    def _followed(self, number: int, passes: int) -> Any:
        """Of the digests that fall to pass `number`: the rows that are not the last with theirs."""
        self._scratch.seek(0)
        digests, rows, start = [], [], 0
        while block := self._scratch.read(DIGEST_BYTES * READ_AT_ONCE):
            halves = np.frombuffer(block, np.uint64).reshape(-1, 2)
            mine = np.flatnonzero(halves[:, 0] % passes == number)
            digests.append(halves[mine])
            rows.append(mine + start)
            start += len(halves)
        halves, places = np.concatenate(digests), np.concatenate(rows)
        order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: equal ones keep the order of their rows
        halves = halves[order]
        return places[order[:-1][np.all(halves[1:] == halves[:-1], axis=1)]]


def _as_number(keys: pa.RecordBatch) -> Any:
    """The key as an int64 numpy array when it is one column of whole numbers or times, else None."""
    whole = _whole(keys.column(0)) if keys.num_columns == 1 else None
    return None if whole is None else whole.to_numpy(zero_copy_only=False)


def _whole(column: pa.Array[Any]) -> Any:
    """The column as int64 when it has whole numbers or times, else None."""
    if not (pa.types.is_integer(column.type) or pa.types.is_temporal(column.type)):
        return None
    return (column.cast(pa.int32()) if pa.types.is_date32(column.type) else column).cast(pa.int64())


def digests(keys: pa.RecordBatch) -> pa.FixedSizeBinaryArray:
    """A 128-bit digest of each key: equal keys have equal ones, in whatever file they are."""
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(DIGEST_BYTES), keys.num_rows, [None, pa.py_buffer(_digests(keys))]
    )


def _digests(keys: pa.RecordBatch) -> bytes:
    parts: list[Any] = []
    for column in keys.columns:
        value = _as_bytes(column)
        # Each value behind its length: the boundaries count too.
        parts += [pc.binary_length(value).cast(pa.utf8()).cast(pa.binary()), value]
    joined = pc.binary_join_element_wise(*parts, b":")
    return b"".join([hashlib.blake2b(one, digest_size=DIGEST_BYTES).digest() for one in joined.to_pylist()])


def _as_bytes(column: pa.Array[Any]) -> Any:
    whole = _whole(column)
    try:
        text = column if pa.types.is_binary(column.type) else (column if whole is None else whole).cast(pa.utf8())
        return text.cast(pa.binary())
    except pa.ArrowNotImplementedError:  # collections and other nested values
        return pa.array([repr(value).encode() for value in column.to_pylist()], pa.binary())
