from __future__ import annotations

import pytest

from hostile_names import REFUSED, WELCOME
from mysimbdp.errors import Code
from mysimbdp.landing.constraints import Usage, check_before_copy
from mysimbdp.tenants.model import Batch, Constraints, Route, Table, Tenant

TENANT = Tenant(
    tenant="acme",
    constraints=Constraints(
        max_nb_files=3, max_file_size=0.001, allowed_file_format=["csv", "jsonl"], max_mb_per_file=0.0005
    ),
    tables={"apps": Table.model_validate({"columns": {"name": "text"}})},
)

VERDICTS: dict[str, tuple[str, int, Usage, Code | None]] = {
    "plain": ("a.csv", 1, Usage(), None),
    "upper-case extension": ("A.CSV", 1, Usage(), None),
    "second spelling of a format": ("a.ndjson", 1, Usage(), None),
    "exactly the file limit": ("a.csv", 500, Usage(), None),
    "one byte above the file limit": ("a.csv", 501, Usage(), Code.FILE_TOO_LARGE),
    "empty": ("a.csv", 0, Usage(), Code.FILE_EMPTY),
    "known format not allowed": ("a.xml", 1, Usage(), Code.FORMAT_NOT_ALLOWED),
    "foreign format": ("a.xlsx", 1, Usage(), Code.FORMAT_NOT_ALLOWED),
    "no extension": ("csv", 1, Usage(), Code.FORMAT_NOT_ALLOWED),
    "the last file there is room for": ("a.csv", 1, Usage(2, 0), None),
    "one file too many": ("a.csv", 1, Usage(3, 0), Code.QUOTA_FILES),
    "exactly the storage limit": ("a.csv", 400, Usage(1, 600), None),
    "one byte above the storage limit": ("a.csv", 401, Usage(1, 600), Code.QUOTA_BYTES),
    "a wrong format is said before a full quota": ("a.xml", 1, Usage(9, 9), Code.FORMAT_NOT_ALLOWED),
    "control character": ("a\n.csv", 1, Usage(), Code.FILE_NAME_NOT_ALLOWED),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_verdict_by_name_and_size(case: str) -> None:
    name, size, usage, code = VERDICTS[case]
    problem = check_before_copy(TENANT, name, size, usage)
    assert (problem.code if problem else None) is code


@pytest.mark.parametrize("name", [*WELCOME.values(), *REFUSED.values()])
def test_a_hostile_name_gets_a_printable_answer(name: str) -> None:
    problem = check_before_copy(TENANT, name, 0, Usage())
    assert problem is not None
    assert str(problem).isprintable()


def test_a_name_no_route_fits_has_no_table() -> None:
    routed = TENANT.model_copy(update={"batch": Batch(routes=[Route(files=["apps*.csv"], table="apps")])})
    assert check_before_copy(routed, "apps1.csv", 1, Usage()) is None
    problem = check_before_copy(routed, "other.csv", 1, Usage())
    assert problem is not None
    assert problem.code is Code.NO_TABLE_FOR_FILE


def test_usage_counts_on() -> None:
    assert Usage(1, 10).plus(5) == Usage(2, 15)
