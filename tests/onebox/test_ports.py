"""Ports: where each service listens, and a clear answer when a port is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import psutil
import pytest

from mysimbdp.errors import Code, TerminalError
from mysimbdp.onebox.ports import HOST, Ports, holder, is_listening, require_free


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_an_offset_moves_every_port() -> None:
    assert Ports.at(0) == Ports(airflow=8080, cassandra_native=9042, cassandra_storage=7000, cassandra_jmx=7199)
    assert Ports.at(10_000) == Ports(
        airflow=18080, cassandra_native=19042, cassandra_storage=17000, cassandra_jmx=17199
    )


def test_a_free_port_is_granted() -> None:
    port = _free_port()
    require_free(port, "a test")
    assert not is_listening(port)


def test_a_taken_port_is_refused_naming_who_wants_it_and_who_holds_it(listener: int) -> None:
    assert is_listening(listener)
    with pytest.raises(TerminalError) as caught:
        require_free(listener, "cassandra")
    problem = caught.value.problem
    assert problem.code is Code.PORT_IN_USE
    assert f"port {listener}, which cassandra needs" in problem.what
    assert f"pid {os.getpid()} ({psutil.Process().name()})" in problem.what
    assert "MYSIMBDP_PORT_OFFSET" in problem.advice


def test_the_holder_of_a_port_nobody_holds_is_not_invented() -> None:
    assert holder(_free_port()) == "a program of another user"
