"""A tenant's tables in the test onebox, and a second driver to read back with."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mysimbdp.coredms.hook import hook_session
from mysimbdp.coredms.schema import apply_ledger, apply_tenant
from mysimbdp.ledger.schema import LEDGER_KEYSPACE, LEDGER_TABLES
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.tenants.model import Tenant

TenantMaker = Callable[[dict[str, Any]], Tenant]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def reader(coredms_only: Onebox) -> Iterator[Any]:
    """A cassandra-driver session, so that nothing is read back by the driver that wrote it."""
    apply_ledger(LEDGER_KEYSPACE, LEDGER_TABLES)
    with hook_session() as session:
        yield session


def tenant_with(tenant_id: str, tables: dict[str, Any], types: dict[str, Any] | None = None) -> Tenant:
    """A valid tenant with `tables` and `types` as a tenant file would write them."""
    return Tenant.model_validate(
        {
            "tenant": tenant_id,
            "constraints": {"max_nb_files": 1, "max_file_size": 1, "allowed_file_format": ["csv"]},
            "types": types or {},
            "tables": tables,
            "batch": {"routes": [{"files": [f"{name}*"], "table": name} for name in tables]},
        }
    )


@pytest.fixture
def applied(reader: Any) -> Iterator[TenantMaker]:
    """Makes a tenant of its own with the given tables, applied; dropped afterwards."""
    made: list[Tenant] = []

    def make(tables: dict[str, Any]) -> Tenant:
        tenant = tenant_with(f"t_{os.getpid()}_{next(_numbers)}", tables)
        apply_tenant(tenant)
        made.append(tenant)
        return tenant

    yield make
    for tenant in made:
        reader.execute(f"DROP KEYSPACE IF EXISTS {tenant.keyspace}")
        reader.execute("DELETE FROM mysimbdp.schemas WHERE tenant = %s", (tenant.tenant,))
