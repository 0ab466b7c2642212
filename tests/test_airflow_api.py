"""The REST client against the live Airflow, and against faults that a healthy one does not show."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mysimbdp.airflow_api import AirflowApi
from mysimbdp.connections import AIRFLOW, Connection, connection
from mysimbdp.errors import Code, MysimbdpError, TerminalError, TransientError
from mysimbdp.onebox.onebox import Onebox

SOMEWHERE = Connection(host="127.0.0.1", port=8080, login="admin", password="secret", schema="http")


def ask(
    question: Callable[[AirflowApi], Awaitable[Any]],
    conn: Connection | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Any:
    async def work() -> Any:
        async with AirflowApi(conn, transport=transport) as api:
            return await question(api)

    return asyncio.run(work())


@pytest.mark.onebox
@pytest.mark.airflow
class TestLive:
    def test_a_pool_is_created_then_unchanged_then_updated(self, onebox: Onebox) -> None:
        name = f"tenant_{uuid.uuid4().hex[:12]}"
        assert ask(lambda api: api.ensure_pool(name, 2, "of a test")) == "created"
        assert ask(lambda api: api.ensure_pool(name, 2, "of a test")) == "unchanged"
        assert ask(lambda api: api.ensure_pool(name, 3, "of a test")) == "updated"
        assert ask(lambda api: api.ensure_pool(name, 3, "of a test")) == "unchanged"

    def test_a_dag_that_is_not_there_may_come_yet(self, onebox: Onebox) -> None:
        with pytest.raises(TransientError) as caught:
            ask(lambda api: api.trigger("batch_nobody", "run", {}))
        assert caught.value.problem.code is Code.AIRFLOW_UNREACHABLE
        assert "batch_nobody" in caught.value.problem.what

    def test_a_run_that_is_not_there_has_no_state(self, onebox: Onebox) -> None:
        assert ask(lambda api: api.run_state("batch_nobody", "run/with a slash")) is None

    def test_a_wrong_password_is_refused_for_good(self, onebox: Onebox) -> None:
        wrong = replace(connection(AIRFLOW), password="wrong-password")
        with pytest.raises(TerminalError) as caught:
            ask(lambda api: api.run_state("x", "y"), wrong)
        assert caught.value.problem.code is Code.AIRFLOW_REFUSED
        assert "wrong-password" not in str(caught.value)


class Scripted:
    """Answers logins with numbered tokens, everything else with the given statuses, one a call."""

    def __init__(self, *answers: httpx.Response | Exception, good: int = 1) -> None:
        self.answers = list(answers)
        self.good = f"Bearer token-{good}"
        self.logins = 0
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            self.logins += 1
            return httpx.Response(201, json={"access_token": f"token-{self.logins}"})
        self.requests.append(request)
        if request.headers["authorization"] != self.good:
            return httpx.Response(401)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_expired_token_is_renewed_once_for_all_who_wait() -> None:
    server = Scripted(*[httpx.Response(200, json={"state": "running"})] * 8, good=2)

    async def many(api: AirflowApi) -> list[str | None]:
        return await asyncio.gather(*(api.run_state("d", f"r{n}") for n in range(8)))

    assert ask(many, SOMEWHERE, httpx.MockTransport(server)) == ["running"] * 8
    assert server.logins == 2


def test_a_run_that_was_accepted_before_exists() -> None:
    server = Scripted(httpx.Response(409, json={"detail": "conflict"}))
    assert ask(lambda api: api.trigger("d", "r", {"a": 1}), SOMEWHERE, httpx.MockTransport(server)) == "exists"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (httpx.Response(500, text="boom"), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.Response(503), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.Response(429), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.Response(400, text="Dag has import errors"), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.ReadTimeout("slow"), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.ConnectError("refused"), TransientError, Code.AIRFLOW_UNREACHABLE),
        (httpx.Response(403, text="no right"), TerminalError, Code.AIRFLOW_REFUSED),
        (httpx.Response(422, text="bad conf"), TerminalError, Code.AIRFLOW_REFUSED),
    ],
    ids=str,
)  # fmt: skip
def test_faults_are_told_apart(answer: httpx.Response | Exception, kind: type[MysimbdpError], code: Code) -> None:
    server = Scripted(answer)
    with pytest.raises(kind) as caught:
        ask(lambda api: api.trigger("d", "r", {}), SOMEWHERE, httpx.MockTransport(server))
    assert caught.value.problem.code is code


def test_nobody_at_the_address_is_unreachable() -> None:
    with pytest.raises(TransientError) as caught:
        ask(lambda api: api.run_state("d", "r"), replace(SOMEWHERE, port=1))
    assert caught.value.problem.code is Code.AIRFLOW_UNREACHABLE
    assert "secret" not in str(caught.value)
