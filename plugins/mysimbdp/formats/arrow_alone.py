"""Arrow without pandas: its first `pa.array` or `pa.scalar` would import pandas, 0.4 s and more in every task.

Arrow only wants to know whether what it is given is a pandas object; ours never is. `to_pandas()` still works
afterwards: Arrow then tries the import again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ImportError("not now: see mysimbdp.formats.arrow_alone")


def keep_pandas_out() -> None:
    """Have Arrow ask for pandas now, and not find it; nothing is done where pandas is loaded already."""
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.scalar(0)
    finally:
        sys.meta_path.remove(finder)
