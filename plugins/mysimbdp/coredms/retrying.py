"""Policy: how hard to press coredms, and how long to insist.

Requests at once are halved when the server is overloaded and grow back one by one. A request that fails for a passing
reason is repeated with a growing, jittered pause (every statement of the loader may be repeated: same key, same
timestamp, same values) until nothing at all has succeeded for `patience_seconds`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from mysimbdp.coredms.faults import fault_of, is_overload
from mysimbdp.errors import TransientError

PATIENCE_SECONDS = 120.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
HALVE_AGAIN_AFTER_SECONDS = 0.5


class Throttle:
    """How many requests may be under way at once; for one event loop."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = most
        self._clock = clock
        self._under_way = 0
        self._succeeded_since_growth = 0
        self._halved_at = float("-inf")
        self._changed = asyncio.Event()

    async def acquire(self) -> None:
        """Wait for a place."""
        while self._under_way >= self.limit:
            self._changed.clear()
            await self._changed.wait()
        self._under_way += 1

    def release(self) -> None:
        """Give the place back."""
        self._under_way -= 1
        self._changed.set()

    def succeeded(self) -> None:
        """Grow by one after as many successes as there are places."""
        if self.limit >= self.most:
            return
        self._succeeded_since_growth += 1
        if self._succeeded_since_growth >= self.limit:
            self._succeeded_since_growth = 0
            self.limit += 1
            self._changed.set()

    def overloaded(self) -> None:
        """Halve; the failures of requests sent before the last halving do not halve again."""
        now = self._clock()
        if now - self._halved_at >= HALVE_AGAIN_AFTER_SECONDS:
            self.limit = max(1, self.limit // 2)
            self._halved_at = now
            self._succeeded_since_growth = 0


class Persistence:
    """Repeats requests of one load; counts the repeats in `retries`."""

    def __init__(self, throttle: Throttle, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.retries = 0
        self._throttle = throttle
        self._patience = patience_seconds
        self._last_success = float("-inf")
        self._given_up = False

    async def run(self, request: Callable[[], Awaitable[object]]) -> None:
        """Send `request` until it succeeds.

        Raises:
            TransientError: the last fault, once no request of this load has succeeded for the time of patience.
            TerminalError: COREDMS_REFUSED or SCHEMA_NOT_APPLIED, at once.
        """
        pause = FIRST_PAUSE_SECONDS
        first_failure: float | None = None
        while True:
            try:
                await request()
            except Exception as error:
                if is_overload(error):
                    self._throttle.overloaded()
                fault = fault_of(error)
                first_failure = first_failure or time.monotonic()
                if not isinstance(fault, TransientError) or self._out_of_patience(first_failure):
                    self._given_up = True
                    raise fault from error
            else:
                self._last_success = time.monotonic()
                self._throttle.succeeded()
                return
            self.retries += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _out_of_patience(self, first_failure: float) -> bool:
        """Also once another request of the load has given up: the rest need not find out by themselves.

        Time counts from this request's first failure: before it, a slow source may just have had nothing to send.
        """
        since = max(self._last_success, first_failure)
        return self._given_up or time.monotonic() - since >= self._patience
