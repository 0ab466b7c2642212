from __future__ import annotations

import asyncio
from collections.abc import Callable

import acsylla.errors as driver
import pytest

from mysimbdp.coredms import retrying
from mysimbdp.coredms.retrying import Persistence, Throttle
from mysimbdp.errors import Code, TerminalError, TransientError


class Scripted:
    """A request that fails with the given exceptions, one a call, and then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE_SECONDS", 0.002)


def persist(request: Callable[[], object], throttle: Throttle | None = None, patience: float = 5) -> Persistence:
    async def work() -> Persistence:
        persistence = Persistence(throttle or Throttle(8), patience_seconds=patience)
        await persistence.run(request)  # type: ignore[arg-type]  # Scripted is an async callable
        return persistence

    return asyncio.run(work())


@pytest.mark.parametrize(
    "failure",
    [
        driver.CassErrorServerOverloaded("busy"),
        driver.CassErrorServerWriteTimeout("slow"),
        driver.CassErrorServerUnavailable("replicas"),
        driver.CassErrorLibNoHostsAvailable("gone"),
        driver.CassErrorLibRequestQueueFull("full"),
        driver.CassErrorLibRequestTimedOut("late"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_passing_fault_is_repeated(failure: Exception) -> None:
    request = Scripted(failure, failure)
    assert persist(request).retries == 2
    assert request.calls == 3


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (driver.CassErrorServerSyntaxError("syntax"), Code.COREDMS_REFUSED),
        (driver.CassErrorServerUnauthorized("rights"), Code.COREDMS_REFUSED),
        (driver.CassErrorServerBadCredentials("who"), Code.COREDMS_REFUSED),
        (driver.CassErrorServerInvalidQuery("table x does not exist"), Code.SCHEMA_NOT_APPLIED),
        (driver.CassErrorServerInvalidQuery("Key may not be empty"), Code.COREDMS_REFUSED),
        (OverflowError("value too large"), Code.COREDMS_REFUSED),
    ],
)
def test_a_lasting_fault_ends_at_once(failure: Exception, code: Code) -> None:
    request = Scripted(failure)
    with pytest.raises(TerminalError) as caught:
        persist(request)
    assert caught.value.problem.code is code
    assert request.calls == 1


def test_patience_ends_when_nothing_succeeds() -> None:
    request = Scripted(*[driver.CassErrorLibNoHostsAvailable("gone")] * 10_000)
    with pytest.raises(TransientError) as caught:
        persist(request, patience=0.05)
    assert caught.value.problem.code is Code.COREDMS_UNREACHABLE
    assert request.calls > 2


def test_overload_halves_once_for_the_requests_of_one_moment_and_success_grows_it_back() -> None:
    now = [0.0]
    throttle = Throttle(16, clock=lambda: now[0])
    for _ in range(5):
        throttle.overloaded()
    assert throttle.limit == 8
    now[0] = 1.0
    throttle.overloaded()
    assert throttle.limit == 4
    for _ in range(4):
        throttle.succeeded()
    assert throttle.limit == 5
    for _ in range(1000):
        throttle.succeeded()
    assert throttle.limit == 16


def test_never_more_under_way_than_the_throttle_says() -> None:
    async def work() -> int:
        throttle, under_way, most = Throttle(3), 0, 0

        async def one() -> None:
            nonlocal under_way, most
            await throttle.acquire()
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1
            throttle.release()

        await asyncio.gather(*(one() for _ in range(20)))
        return most

    assert asyncio.run(work()) == 3
