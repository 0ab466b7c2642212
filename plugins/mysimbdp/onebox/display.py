"""Show the services coming up: a live list on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from mysimbdp.onebox.onebox import READY, STOPPED, Tell


@contextmanager
def following() -> Iterator[Tell]:
    """Yield a `Tell` that shows each service's latest word; repeated words are shown once."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    with Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.fields[service]:<24}"),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(service: str, word: str) -> None:
            if service not in tasks:
                tasks[service] = progress.add_task(word, total=1, service=service)
            done = word == READY or word.startswith(STOPPED)
            progress.update(tasks[service], description=word, completed=1 if done else 0)

        yield tell


def _lines(console: Console) -> Tell:
    began = time.monotonic()
    last: dict[str, str] = {}

    def tell(service: str, word: str) -> None:
        if last.get(service) != word:
            last[service] = word
            console.print(f"{time.monotonic() - began:6.1f} s  {service}: {word}", markup=False, highlight=False)

    return tell
