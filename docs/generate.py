"""Writes the documents that are made from the code: run `.venv/bin/python docs/generate.py` after changing it."""

from __future__ import annotations

import runpy
from pathlib import Path

from mysimbdp.bench.performance_page import PICTURE, all_loads, performance_page, read_results
from mysimbdp.bench.plotting import plot
from mysimbdp.errors import ADVICE, Code, Exit
from mysimbdp.landing.receipts import json_schema

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS / "results"


def errors_page() -> str:
    """Return the error catalogue as a Markdown page."""
    codes = "\n".join(f"| `{code}` | {ADVICE[code].replace('|', chr(92) + '|')} |" for code in sorted(Code))
    exits = "\n".join(f"| {int(code)} | {code.name} |" for code in Exit)
    return (
        "# Error codes\n\n"
        "Made by `docs/generate.py` from `plugins/mysimbdp/errors.py`; a code is never renamed or given a second\n"
        "meaning. Receipts, the ledger, `--json` output and logs all use these.\n\n"
        f"| code | what to do |\n|---|---|\n{codes}\n\n"
        f"## Exit codes of the command line\n\n| exit code | name |\n|---|---|\n{exits}\n"
    )


types_page = runpy.run_path(str(DOCS / "types_page.py"))["types_page"]
PAGES = {
    "errors.md": errors_page,
    "receipt.schema.json": json_schema,
    "types.md": types_page,
    "performance.md": lambda: performance_page(read_results(RESULTS)),
}


def main() -> None:
    """Write every generated document, and the picture in one of them."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
    loads = all_loads(read_results(RESULTS))
    if loads:
        plot(loads, DOCS / PICTURE)


if __name__ == "__main__":
    main()
