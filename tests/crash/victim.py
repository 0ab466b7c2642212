"""A run in a process of its own that dies by SIGKILL at a named point: nothing is flushed, closed or given back."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.scenarios.customers import Customer

from mysimbdp.ledger.ledger import open_ledger
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant


@dataclass(frozen=True)
class Point:
    """Right after (or before) the nth call of a function that makes a step of the way."""

    target: str
    before: bool = False
    nth: int = 1
    how: signal.Signals = signal.SIGKILL


AFTER_COPY = Point("mysimbdp.batchingestmanager.intake.take_copy")
RECEIVED = Point("mysimbdp.ledger.arrivals.Arrivals.receive")
ENDED_UNCLAIMED = Point("mysimbdp.ledger.files.Files.end_unclaimed")
CLAIMED = Point("mysimbdp.ledger.files.Files.claim")
RESERVED = Point("mysimbdp.ledger.quotas.Quotas.reserve")
HELD = Point("mysimbdp.landing.removal._hold")
REMOVED = Point("mysimbdp.batchingestmanager.intake.remove_taken")
MOVED_ASIDE = Point("mysimbdp.batchingestmanager.intake.move_aside")
LEASED = Point("mysimbdp.ledger.files.Files.lease")
BEGUN = Point("mysimbdp.ledger.files.Files.begin")
IN_THE_APP = Point("mysimbdp.batchingestmanager.spool.SpoolWriter.add")
SPOOLED = Point("mysimbdp.batchingestmanager.spool.SpoolWriter.finish")
BEFORE_THE_FIRST_ROW = Point("mysimbdp.batchingestmanager.ingest.mark_loading")
IN_THE_LOAD = Point("mysimbdp.coredms.loader.Loader._send", nth=3)
CHECKPOINT_TAKEN = Point("mysimbdp.ledger.files.Files.checkpoint", nth=2)
LOADED = Point("mysimbdp.coredms.loader.Loader.load")
FINISHED = Point("mysimbdp.ledger.files.Files.finish")
FREED = Point("mysimbdp.ledger.quotas.Quotas.free")
MOVED = Point("mysimbdp.batchingestmanager.record.move")
ARCHIVED = Point("mysimbdp.batchingestmanager.record.archive")
ARCHIVE_NOTED = Point("mysimbdp.ledger.files.Files.archived")
RECEIPT_WRITTEN = Point("mysimbdp.batchingestmanager.record.write_receipt")
LOGGED = Point("mysimbdp.batchingestmanager.record._log")
SETTLED = Point("mysimbdp.ledger.arrivals.Arrivals.settle")

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload([__name__])


def start(
    customer: Customer, point: Point, run_id: str, *, only: str | None = None
) -> multiprocessing.process.BaseProcess:
    """Start one run over the customer's inbox (or one file of it) that ends (or halts) at `point`."""
    return spawn(_live_and_die, dict(os.environ), customer.tenant.model_dump(by_alias=True), point, run_id, only)


def spawn(target: Callable[..., None], *arguments: Any) -> multiprocessing.process.BaseProcess:
    """Start `target` in a process of its own that has everything imported already."""
    process = _forkserver.Process(target=target, args=arguments)
    process.start()
    return process


def die(customer: Customer, point: Point, run_id: str = "victim", *, only: str | None = None) -> None:
    """A run that is killed at `point`."""
    be_dead(start(customer, point, run_id, only=only), point)


def be_dead(process: multiprocessing.process.BaseProcess, point: Point) -> None:
    """Wait for the end of a process that is killed at `point`."""
    process.join(60)
    if process.is_alive():
        process.kill()
    assert process.exitcode == -signal.SIGKILL, f"{point} was not reached: exit code {process.exitcode}"


def wake(environment: dict[str, str], facts: dict[str, Any]) -> Customer:
    """The customer, in a process that was just spawned."""
    os.environ.update(environment)
    settings.cache_clear()
    return Customer(Tenant.model_validate(facts), None)


def _live_and_die(
    environment: dict[str, str], facts: dict[str, Any], point: Point, run_id: str, only: str | None
) -> None:
    customer = wake(environment, facts)
    arm(point)

    async def run() -> None:
        async with open_ledger() as ledger:
            files = [seen for seen in customer.complete() if only in (None, seen.name)]
            intake = await customer.validate(ledger, run_id, files)
            await customer.ingest(ledger, run_id, intake)
            await customer.record(ledger, intake)

    asyncio.run(run())


def arm(point: Point) -> None:
    """Make this process die at `point`."""
    path, name = point.target.rsplit(".", 1)
    try:
        owner: Any = importlib.import_module(path)
    except ModuleNotFoundError:
        module, owner_name = path.rsplit(".", 1)
        owner = getattr(importlib.import_module(module), owner_name)
    step = getattr(owner, name)
    setattr(owner, name, _deadly(step, point))


def _deadly(step: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = 0

    def reached() -> None:
        nonlocal calls
        calls += 1
        if calls == point.nth:
            os.kill(os.getpid(), point.how)

    if inspect.iscoroutinefunction(step):

        @functools.wraps(step)
        async def deadly_async(*args: Any, **kwargs: Any) -> Any:
            if point.before:
                reached()
            result = await step(*args, **kwargs)
            if not point.before:
                reached()
            return result

        return deadly_async

    @functools.wraps(step)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        if point.before:
            reached()
        result = step(*args, **kwargs)
        if not point.before:
            reached()
        return result

    return deadly
