"""docs/performance.md from the results in docs/results/: tables, picture, and every target met or missed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mysimbdp.bench.comparison import TARGETS, table
from mysimbdp.bench.shapes import SHAPES
from mysimbdp.bench.writers.catalogue import WRITERS

PICTURE = "images/load.png"

_HEAD = """# Performance

Made by `docs/generate.py` from `docs/results/load*.json`, which `mysimbdp bench load --json` writes: every writer loads
the same file into a fresh table of the same shape on the same node, and the rows are read back and counted.

- Times are those of whole programs, start included; of `loader`, `row` and `concurrent` those of loading alone.
- `ingest` and `loader` also write the lineage columns `_ingest` and `_source`; the peers write the file's own columns.
- CPU is in microseconds a row: the client's over all processes of the writer, the server's until the node is at rest
  again, its compactions included. Memory is the largest sum of resident bytes over the writer's processes.
- cqlsh and DSBulk get smaller batches than their own only for the 4 KiB texts, where the node refuses their own.
- With several rounds, figures are medians.
"""

_DSBULK = """## DSBulk's jars

They are no part of this program. With jgo, which is among its requirements:

```
.venv/bin/python - <<'END'
import shutil
from pathlib import Path
from jgo.env import EnvironmentBuilder
from jgo.maven import MavenContext
modules = "runner workflow-load connectors-csv codecs-text codecs-jdk executor-reactor batcher-reactor".split()
endpoint = "+".join(f"com.datastax.oss:dsbulk-{module}:1.10.0" for module in modules)
cache, jars = Path("/tmp/dsbulk-cache"), Path("/tmp/dsbulk")
jars.mkdir(exist_ok=True)
builder = EnvironmentBuilder(context=MavenContext(repo_cache=cache / "repository"), cache_dir=cache / "environments")
for jar in builder.from_endpoint(endpoint).all_jars:
    shutil.copy(jar, jars)
END
```
"""


def read_results(folder: Path) -> list[dict[str, Any]]:
    """The results of `mysimbdp bench load` in `folder`, in the order of their names."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("load*.json"))]


def all_loads(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The loads of all results, shapes in their usual order."""
    loads = [load for result in results for load in result["loads"]]
    order = list(SHAPES)
    return sorted(loads, key=lambda load: order.index(load["shape"]))


def performance_page(results: Sequence[dict[str, Any]]) -> str:
    """The page as Markdown; without results, how they are taken."""
    writers = "\n".join(f"- `{writer.name}`: {writer.title}" for writer in WRITERS.values())
    measured = _measured(results) if results else ["There are no results yet.\n"]
    return "\n".join([_HEAD, *measured, f"## Writers\n\n{writers}\n", _DSBULK])


def _measured(results: Sequence[dict[str, Any]]) -> list[str]:
    loads = all_loads(results)
    verdicts = [verdict for target in TARGETS if (verdict := target.verdict(loads))]
    return [
        f"![rows a second of every writer, a panel for each shape of table]({PICTURE})\n",
        "## Targets\n\n" + "\n".join(f"- {verdict}" for verdict in verdicts) + "\n",
        *(_shape(loads, shape) for shape in dict.fromkeys(load["shape"] for load in loads)),
        "## Machine and commands\n\n" + "\n".join(map(_origin, results)),
    ]


def _shape(loads: Sequence[dict[str, Any]], shape: str) -> str:
    rows = table([load for load in loads if load["shape"] == shape])
    ours = list(dict.fromkeys(key for row in rows for key in row if key.endswith("_x")))
    heads = ["writer", "rows", "rows/s", "MB/s", "client µs/row", "server µs/row", "peak MB"]
    heads += [f"{key.removesuffix('_x')} is ×" for key in ours]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in rows:
        if row["failure"]:
            lines.append(f"| {row['writer']} | {row['rows']:,} | failed: {row['failure'].split(';')[0]} |")
            continue
        cells = [row["writer"], f"{row['rows']:,}", f"{row['rows_s']:,.0f}", f"{row['mb_s']:.1f}"]
        cells += [f"{row['client_us_row']:.1f}", f"{row['server_us_row']:.1f}", f"{row['peak_rss_mb']:.0f}"]
        cells += [f"{row[key]:.2f}" for key in ours]
        lines.append("| " + " | ".join(cells) + " |")
    title = SHAPES[shape].title
    times = "".join(f"\n{_stages(load)}\n" for load in loads if load["shape"] == shape and load["stages"])
    return f"## {title[0].upper()}{title[1:]}\n\n" + "\n".join(lines) + f"\n{times}"


def _stages(load: dict[str, Any]) -> str:
    """Where the time of a whole ingest goes."""
    known = load["stages"]
    rest = load["seconds"] - sum(known.values())
    named = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in known.items())
    return (
        f"`{load['writer']}`, round {load['round']}: {load['seconds']:.1f} s, of these {named}, the rest {rest:.1f} s."
    )


def _origin(result: dict[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"- {result['date']}: `{result['command']}`\n"
        f"  {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']};"
        f" Cassandra's heap {result['cassandra_heap']}; {versions}; rounds: {result['rounds']}"
        f"{', interrupted before the last' if result['interrupted'] else ''}\n"
    )
