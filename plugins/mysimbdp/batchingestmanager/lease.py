"""Keeps the lease on a claim alive while work goes on, and stops the work when the lease is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from mysimbdp.errors import Code, MysimbdpError, Problem, TransientError
from mysimbdp.ledger.files import Files
from mysimbdp.ledger.record import Ref

RENEWALS_PER_LEASE = 3


@asynccontextmanager
async def kept_lease(files: Files, ref: Ref, holder: str, *, seconds: int) -> AsyncIterator[bool]:
    """Hold the lease on `ref` for the length of the block; yields False when another run holds it.

    A lease that cannot be renewed because coredms is away is not given up: rows are written with the ingest's
    one timestamp, so a second writer is harmless, and the verdict is fenced. A lease that is seen to belong to
    another cancels the block.

    Raises:
        TransientError: CLAIM_LOST, when another run took the claim over in the middle.
    """
    if not await files.lease(ref, holder, seconds):
        yield False
        return
    worker = asyncio.current_task()
    lost, done = asyncio.Event(), asyncio.Event()

    async def renew() -> None:
        while not await _set_within(done, seconds / RENEWALS_PER_LEASE):
            try:
                kept = await files.lease(ref, holder, seconds, renew=True) or await files.lease(ref, holder, seconds)
            except MysimbdpError:
                continue  # coredms is away: see above
            if not kept:
                lost.set()
                if worker is not None:
                    worker.cancel()
                return

    renewal = asyncio.create_task(renew())
    try:
        yield True
    except asyncio.CancelledError:
        if lost.is_set():
            what = "the lease expired and another run took the file over"
            raise TransientError(Problem(Code.CLAIM_LOST, what)) from None
        raise
    finally:
        done.set()
        await renewal  # not cancelled: one that is on its way would take the lease after its release
        with suppress(MysimbdpError):  # it expires by itself
            await files.release(ref, holder)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
