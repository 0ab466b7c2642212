"""The part of Airflow's REST API that the platform uses: start a run, ask for its state, keep a pool.

One small asynchronous client, safe to share between coroutines of one event loop. Log in once, again when the
token is refused. Every fault comes out as AIRFLOW_UNREACHABLE (worth another try) or AIRFLOW_REFUSED (not).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx

from mysimbdp.connections import AIRFLOW, Connection, connection
from mysimbdp.errors import Code, Problem, TerminalError, TransientError

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0


class AirflowApi:
    """`async with AirflowApi() as api: await api.trigger(…)`; reads the connection mysimbdp_airflow.

    Raises (every method):
        TransientError: AIRFLOW_UNREACHABLE: no answer, a 5xx, or the thing asked for is not there yet.
        TerminalError: AIRFLOW_REFUSED: wrong credentials, no right to do it, or a request Airflow calls wrong.
    """

    def __init__(self, conn: Connection | None = None, *, transport: httpx.AsyncBaseTransport | None = None):
        self._conn = conn or connection(AIRFLOW)
        port = f":{self._conn.port}" if self._conn.port else ""
        self._client = httpx.AsyncClient(
            base_url=f"{self._conn.schema or 'http'}://{self._conn.host}{port}",
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            transport=transport,
            trust_env=False,  # a proxy of the environment must never see the token
        )
        self._token: str | None = None
        self._login = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the client cannot be used any more."""
        await self._client.aclose()

    async def trigger(
        self, dag_id: str, run_id: str, conf: Mapping[str, Any], *, note: str | None = None
    ) -> Literal["started", "exists"]:
        """Start the run `run_id` of `dag_id`; "exists" when a run of this name was accepted before.

        `note` is shown beside the run in the UI.

        Raises:
            TransientError: AIRFLOW_UNREACHABLE, also while Airflow has not read the DAG or it does not import.
        """
        response = await self.request(
            "POST",
            f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns",
            json={"dag_run_id": run_id, "logical_date": None, "conf": dict(conf), "note": note},
            allow={404, 409},
        )
        if response.status_code == 409:
            return "exists"
        if response.status_code == 404:
            raise TransientError(Problem(Code.AIRFLOW_UNREACHABLE, f"Airflow has no DAG {dag_id} (yet)"))
        return "started"

    async def run_state(self, dag_id: str, run_id: str) -> str | None:
        """State of a run (queued, running, success, failed), or None when there is no such run."""
        response = await self.request(
            "GET", f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}", allow={404}
        )
        return None if response.status_code == 404 else str(response.json()["state"])

    async def ensure_pool(self, name: str, slots: int, description: str) -> Literal["created", "updated", "unchanged"]:
        """Make the pool have `slots` slots (deferred tasks do not count); create it where it is missing."""
        path = f"/api/v2/pools/{quote(name, safe='')}"
        facts = {"slots": slots, "description": description, "include_deferred": False}
        response = await self.request("GET", path, allow={404})
        if response.status_code == 404:
            response = await self.request("POST", "/api/v2/pools", json={"name": name, **facts}, allow={409})
            if response.status_code != 409:
                return "created"
            response = await self.request("GET", path)  # another apply was faster
        if response.json()["slots"] == slots:
            return "unchanged"
        await self.request("PATCH", path, json={"pool": name, **facts})
        return "updated"

    async def request(
        self, method: str, path: str, *, json: Any = None, allow: set[int] | None = None
    ) -> httpx.Response:
        """Ask for anything below /api/v2; statuses in `allow` come back, every other failure is raised."""
        token = self._token or await self._fresh_token(None)
        response = await self._send(method, path, json=json, token=token)
        if response.status_code == 401:
            response = await self._send(method, path, json=json, token=await self._fresh_token(token))
        if response.is_success or response.status_code in (allow or ()):
            return response
        raise _fault(f"{method} {path}", response)

    async def _fresh_token(self, refused: str | None) -> str:
        """Log in, unless another coroutine did since `refused` was handed out."""
        async with self._login:
            if self._token is not None and self._token != refused:
                return self._token
            body = {"username": self._conn.login, "password": self._conn.password}
            response = await self._send("POST", "/auth/token", json=body)
            if not response.is_success:
                raise _fault("login", response)
            self._token = str(response.json()["access_token"])
            return self._token

    async def _send(self, method: str, path: str, *, json: Any, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return await self._client.request(method, path, json=json, headers=headers)
        except httpx.HTTPError as error:
            what = f"Airflow at {self._client.base_url} does not answer: {type(error).__name__} {error}"
            raise TransientError(Problem(Code.AIRFLOW_UNREACHABLE, what.strip())) from error


def _fault(asked: str, response: httpx.Response) -> TransientError | TerminalError:
    detail = response.text[:300].replace("\n", " ")
    what = f"Airflow answered {response.status_code} to {asked}: {detail}"
    # 400 "has import errors" heals when the file is repaired; 408 and 429 ask for patience
    heals = response.status_code >= 500 or response.status_code in (408, 429) or "import errors" in detail
    if heals:
        return TransientError(Problem(Code.AIRFLOW_UNREACHABLE, what))
    return TerminalError(Problem(Code.AIRFLOW_REFUSED, what))
