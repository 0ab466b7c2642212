"""Rows as SSTables.java reads them (see Frame.java): columns of serialised cells, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from mysimbdp.coredms.bulk.columns import cells
from mysimbdp.tenants.cqltypes import CqlType

END = bytes(4)
"""The frame of no bytes behind the last one."""


def frame(rows: pa.RecordBatch, types: dict[str, CqlType]) -> bytes:
    """A frame of `rows`, whose columns are any of `types`; columns are numbered in that order."""
    numbers = {name: number for number, name in enumerate(types)}
    parts: list[Any] = [_integers(rows.num_rows)]
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        if column.null_count == rows.num_rows:
            continue
        found = cells(column, types[name])
        parts.append(_integers(numbers[name], found.width, int(column.null_count > 0)))
        if column.null_count:
            parts.append(column.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8))
        if found.offsets is not None:
            parts.append(found.offsets.astype("<i4"))
        parts.append(np.ascontiguousarray(found.data) if isinstance(found.data, np.ndarray) else found.data)
    body = b"".join(parts)
    return len(body).to_bytes(4, "big") + body


def order(words: Sequence[str | int]) -> bytes:
    """What stands before the frames: texts with their lengths, and the timestamp as eight bytes."""
    parts = []
    for word in words:
        if isinstance(word, int):
            parts.append(word.to_bytes(8, "big", signed=True))
        else:
            text = word.encode()
            parts.append(len(text).to_bytes(4, "big") + text)
    return b"".join(parts)


def _integers(*numbers: int) -> bytes:
    return np.array(numbers, "<i4").tobytes()
