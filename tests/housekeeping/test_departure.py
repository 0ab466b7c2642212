"""The end of a tenant without Airflow's part: nothing of it is left, nothing of its neighbour is touched."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scenarios.customers import Customer, in_ledger, tenant_facts

from mysimbdp.errors import Code, TerminalError
from mysimbdp.housekeeping import departure
from mysimbdp.housekeeping.departure import Departure, Wishes
from mysimbdp.housekeeping.holdings import Holding, holdings
from mysimbdp.housekeeping.leftovers import leftovers
from mysimbdp.ledger.ledger import Ledger
from mysimbdp.ledger.statements import Statements
from mysimbdp.ledger.switches import Standing
from mysimbdp.settings import settings

from .conftest import KEYED, everything_of, with_empty_airflow

pytestmark = pytest.mark.onebox

AT_ONCE = Wishes(seconds=0.0)


@pytest.fixture(autouse=True)
def _on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tenant files that no watcher sees, so that there is nothing to wait for."""
    monkeypatch.setattr(departure, "SETTLE_SECONDS", -1.0)
    monkeypatch.setenv("MYSIMBDP_TENANTS_DIR", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def customer(reader: Any, tmp_path: Path) -> Customer:
    """A customer with a tenant file and a committed file."""
    made = Customer.make(reader, tables=KEYED)
    (tmp_path / made.name).mkdir()
    (tmp_path / made.name / "tenant.yaml").write_text(yaml.safe_dump(tenant_facts(made.name, tables=KEYED)))
    made.run_one("good.csv", f"id,word\n1,{made.name}\n2,two\n")
    return made


def remove(customer: Customer, wishes: Wishes = AT_ONCE) -> Path | None:
    return with_empty_airflow(
        lambda ledger, api: Departure(ledger, api, settings(), customer.name, lambda _: None).remove(wishes)
    )


def held(customer: Customer) -> list[Holding]:
    return with_empty_airflow(lambda ledger, api: holdings(ledger, api, settings(), customer.name))


def standing(customer: Customer) -> Standing | None:
    switch = in_ledger(lambda ledger: ledger.switches.find(customer.name))
    return switch.state if switch else None


def is_named_as_left(customer: Customer) -> bool:
    """housekeeping_audit names the tenant."""
    found = in_ledger(lambda ledger: leftovers(ledger, settings()))
    return customer.name in {item.tenant for item in found}


def test_one_of_two_is_removed_and_the_other_stays_as_it_was(customer: Customer, reader: Any) -> None:
    other = Customer.make(reader, tables=KEYED)
    other.run_one("good.csv", "id,word\n1,one\n")
    customer.run_one("bad.csv", "word\nno key\n")
    customer.run_one("again.csv", f"id,word\n1,{customer.name}\n2,two\n")
    other.drop("waits.csv", "id,word\n2,two\n")
    before = everything_of(reader, other.name)
    kinds = {one.kind: one for one in held(customer)}
    assert set(kinds) == {"inbox", "receipts", "rejected", "landing", "staging", "archive", "keyspace", "ledger"}
    assert (kinds["receipts"].count, kinds["archive"].count, kinds["keyspace"].count) == (3, 2, 1)
    assert kinds["archive"].bytes > 0
    assert is_named_as_left(other), "it has no tenant file"
    assert not is_named_as_left(customer)

    aside = remove(customer, Wishes(with_file=True, seconds=0.0))

    left = everything_of(reader, customer.name)
    assert {what for what, rows in left.items() if rows} == set(), "also in tables of the ledger that came later"
    assert held(customer) == []
    assert standing(customer) is None
    assert aside == settings().tenants_dir / "_removed" / customer.name
    assert (aside / "tenant.yaml").is_file()
    assert not is_named_as_left(customer)
    assert everything_of(reader, other.name) == before


def test_while_its_file_is_there_it_stays_switched_off_and_may_begin_anew(customer: Customer) -> None:
    remove(customer)
    assert standing(customer) is Standing.REMOVED
    assert not is_named_as_left(customer)
    fresh = customer.again(tables=KEYED)
    assert is_named_as_left(customer), "somebody brought it back"
    in_ledger(lambda ledger: ledger.switches.move(customer.name, None, allowed=[Standing.REMOVED]))
    fresh.landing.ensure()
    again = fresh.run_one("good.csv", f"id,word\n1,{customer.name}\n2,two\n")
    assert str(again.state) == "committed", "no claim is left of its former life"
    fresh.at_rest()


def drop_one(customer: Customer) -> None:
    customer.drop("untaken.csv", "id,word\n3,three\n")


def begin_one(customer: Customer) -> None:
    customer.drop("pending.csv", "id,word\n3,three\n")
    in_ledger(lambda ledger: customer.validate(ledger, "run", customer.complete()))


REFUSALS: dict[str, tuple[Callable[[Customer], None], str, Wishes]] = {
    "a file that nobody has taken": (drop_one, "wait in", Wishes(discard_inbox=True, seconds=0.0)),
    "a pending file": (begin_one, "still pending", Wishes(force=True, seconds=60.0)),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_it_is_refused_over(case: str, customer: Customer, reader: Any) -> None:
    happen, words, allowing = REFUSALS[case]
    happen(customer)
    before = {what: rows for what, rows in everything_of(reader, customer.name).items() if what != "ledger switches"}
    with pytest.raises(TerminalError) as caught:
        remove(customer)
    assert caught.value.problem.code is Code.TENANT_IN_USE
    assert words in caught.value.problem.what
    after = {what: rows for what, rows in everything_of(reader, customer.name).items() if what != "ledger switches"}
    assert after == before
    remove(customer, allowing)
    assert held(customer) == []


class Killed(BaseException):
    """Stands for kill -9: nothing runs after it."""


class Countdown:
    """Lets steps pass and kills after the one of number `after`; counts over all that it arms."""

    def __init__(self, after: int) -> None:
        self._left = after

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    def arm(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        step = getattr(owner, name)

        def deadly(*args: Any) -> Any:
            result = step(*args)
            self.passed()
            return result

        async def deadly_async(*args: Any) -> Any:
            result = await step(*args)
            if owner is not Statements or args[1].startswith(("DELETE", "UPDATE mysimbdp.switches")):
                self.passed()
            return result

        patch.setattr(owner, name, deadly_async if inspect.iscoroutinefunction(step) else deadly)


STEPS = ((departure, "delete_pool"), (departure, "remove"), (departure, "drop_keyspace"), (Statements, "run"))


def test_killed_after_each_step_it_is_named_as_left_and_goes_on(
    customer: Customer, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    for after in itertools.count(1):  # each removal dies one step later than the one before
        countdown = Countdown(after)
        with monkeypatch.context() as patch:
            for owner, name in STEPS:
                countdown.arm(patch, owner, name)
            try:
                remove(customer)
                break
            except Killed:
                reached.append(str(standing(customer)))
        assert is_named_as_left(customer) == (reached[-1] == "removing")
    assert reached[0] == "disabled"
    assert reached.count("removing") >= 12, (
        "the pool, 7 folders, the keyspace, files, arrivals, one table after another"
    )
    assert standing(customer) is Standing.REMOVED
    left = {what for what, rows in everything_of(reader, customer.name).items() if rows}
    assert left == {"ledger switches"}


async def _enable(ledger: Ledger, name: str) -> Standing | None:
    found = await ledger.switches.move(name, None, allowed=[Standing.DISABLED, Standing.REMOVED])
    return found.state if found else None


def test_a_removal_that_began_cannot_be_called_off(customer: Customer) -> None:
    in_ledger(lambda ledger: ledger.switches.move(customer.name, Standing.REMOVING, allowed=[None]))
    assert in_ledger(lambda ledger: _enable(ledger, customer.name)) is Standing.REMOVING
