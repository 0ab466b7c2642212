"""Credentials come from Airflow connections, also for the command line, which never imports Airflow for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mysimbdp.errors import Code, Problem, TerminalError

COREDMS = "mysimbdp_coredms"
AIRFLOW = "mysimbdp_airflow"


@dataclass(frozen=True, slots=True)
class Connection:
    """The part of an Airflow connection that is needed to log in; the password stays out of repr."""

    host: str
    port: int
    login: str
    password: str = field(repr=False)
    schema: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False)


def connection(conn_id: str) -> Connection:
    """Return the connection `conn_id`: AIRFLOW_CONN_<ID> first, then whatever Airflow knows.

    Raises:
        TerminalError: CONNECTION_MISSING.
    """
    text = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}")
    if text:
        return _from_json(text) if text.lstrip().startswith("{") else _from_uri(text)
    return _from_airflow(conn_id)


def _from_json(text: str) -> Connection:
    facts = json.loads(text)
    extra = facts.get("extra") or {}
    return Connection(
        host=facts["host"],
        port=int(facts.get("port") or 0),
        login=facts.get("login") or "",
        password=facts.get("password") or "",
        schema=facts.get("schema") or "",
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def _from_uri(text: str) -> Connection:
    parts = urlsplit(text)
    return Connection(
        host=parts.hostname or "",
        port=parts.port or 0,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=parts.path.lstrip("/"),
        extra=dict(parse_qsl(parts.query)),
    )


def _from_airflow(conn_id: str) -> Connection:
    try:
        from airflow.sdk import BaseHook  # noqa: PLC0415  # seconds of import, needed inside Airflow only

        found = BaseHook.get_connection(conn_id)
    except Exception as error:
        raise TerminalError(
            Problem(Code.CONNECTION_MISSING, f"the Airflow connection {conn_id} is not defined")
        ) from error
    return Connection(
        host=found.host or "",
        port=found.port or 0,
        login=found.login or "",
        password=found.password or "",
        schema=found.schema or "",
        extra=found.extra_dejson,
    )
