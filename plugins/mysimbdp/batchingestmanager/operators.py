"""The tasks of batch_<tenant>. Each opens the ledger, calls the room that does the work, and hands refs on."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from airflow.sdk import Asset, AssetAlias, BaseOperator, BaseSensorOperator, Context
from airflow.sdk.bases.sensor import PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import StartTriggerArgs

from mysimbdp.batchingestmanager.adoption import adopt
from mysimbdp.batchingestmanager.conf import ADOPT, FILES, seen_as_json, seen_from_json
from mysimbdp.batchingestmanager.ingest import Worker, ingest_group
from mysimbdp.batchingestmanager.intake import Intaker, Source
from mysimbdp.batchingestmanager.record import record_files
from mysimbdp.errors import TerminalError
from mysimbdp.landing.completeness import Seen, Snapshot, complete_files, scan, waiting_files
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.ledger.ledger import open_ledger
from mysimbdp.ledger.record import Ref
from mysimbdp.ledger.states import State
from mysimbdp.ledger.switches import Standing
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant
from mysimbdp.tenants.names import keyspace_of
from mysimbdp.tenants.store import load_tenant

Result = TypeVar("Result")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a task's coroutine; what no retry can heal fails the task at once."""
    try:
        return asyncio.run(work)
    except TerminalError as fault:
        raise AirflowFailException(str(fault)) from fault


class WatchInboxes(BaseSensorOperator):
    """The one deferred task of the platform; it starts in the triggerer and takes no worker slot."""

    start_from_trigger = True
    start_trigger_args = StartTriggerArgs(
        trigger_cls="mysimbdp.batchingestmanager.triggers.InboxTrigger",
        trigger_kwargs={},
        next_method="execute_complete",
        next_kwargs=None,
        timeout=None,
    )

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """Airflow asks for it; the trigger never fires."""


class SenseInputDirectory(BaseSensorOperator):
    """Which files of the tenant's inbox are complete. Normally true at once, since the watcher saw them twice."""

    def __init__(self, *, tenant_id: str, **kwargs: Any) -> None:
        super().__init__(poke_interval=1, timeout=60, mode="poke", soft_fail=True, **kwargs)
        self.tenant_id = tenant_id
        self._previous: Snapshot | None = None

    def poke(self, context: Context) -> PokeReturnValue:
        """Done when what was rung for is still as it was, or, started by hand, when two looks agree."""
        landing = Landing(settings(), self.tenant_id)
        landing.ensure()
        conf = context["dag_run"].conf or {}
        if FILES in conf:
            there = scan(landing.inbox).files
            rung = [seen_from_json(facts) for facts in conf[FILES]]
            complete = [seen for seen in rung if there.get(seen.name) == seen]
        else:
            tenant = load_tenant(settings().tenants_dir, self.tenant_id)
            previous = self._previous or scan(landing.inbox)
            time.sleep(settings().scan_seconds)
            self._previous = current = scan(landing.inbox)
            complete = complete_files(previous, current, done_marker=tenant.source.done_marker)
            waiting = waiting_files(previous, current, done_marker=tenant.source.done_marker)
            for seen, why in waiting:
                self.log.info("%s waits: %s", safe_label(seen.name), why)
            if waiting and not complete:
                return PokeReturnValue(is_done=False)
        self.log.info("%s complete file(s)", len(complete))
        return PokeReturnValue(is_done=True, xcom_value=[seen_as_json(seen) for seen in complete])


class Validate(BaseOperator):
    """Claims the files into private staging; what breaks a constraint is rejected with its reason."""

    template_fields: Sequence[str] = ("files",)

    def __init__(self, *, tenant_id: str, files: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant_id = tenant_id
        self.files = files

    def execute(self, context: Context) -> list[list[dict[str, str]]]:
        """Returns the groups to ingest; pushes every ref of the run as `refs`, for `record`."""
        conf = context["dag_run"].conf or {}
        groups, refs = _run(self._validate(context["run_id"], conf))
        context["ti"].xcom_push("refs", [ref.as_json() for ref in refs])
        return [[ref.as_json() for ref in group] for group in groups]

    async def _validate(self, run_id: str, conf: dict[str, Any]) -> tuple[list[list[Ref]], list[Ref]]:
        tenant = load_tenant(settings().tenants_dir, self.tenant_id)
        inbox = Landing(settings(), self.tenant_id).inbox
        seen: list[Seen] = [seen_from_json(facts) for facts in self.files or []]
        async with open_ledger() as ledger:
            switch = await ledger.switches.find(self.tenant_id)
            if switch is not None:
                self.log.warning("nothing is taken in, %s file(s) stay in the inbox: %s", len(seen), switch.problem)
                seen = []
                if switch.state is not Standing.DISABLED:
                    return [], []
            intaker = Intaker(ledger, tenant, run_id, _logger(self))
            wanted = conf.get(ADOPT)
            adopted = await adopt(ledger, self.tenant_id, run_id, intaker, _logger(self), wanted=wanted)
            intake = await intaker.take_in([Source(one, inbox / one.name) for one in seen], adopted)
        return intake.groups, intake.refs


class Ingest(BaseOperator):
    """Runs the tenant's clientbatchingestapp on one group of files and loads its rows. Mapped over the groups."""

    def __init__(self, *, tenant_id: str, group: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant_id = tenant_id
        self.group = group

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Returns the refs of the group; verdicts are in the ledger."""
        refs = [Ref.from_json(facts) for facts in self.group]
        ti = context["ti"]
        holder = f"{socket.gethostname()}:{os.getpid()}:{context['run_id']}:{ti.map_index}:{ti.try_number}"
        _run(self._ingest(refs, Worker(holder, context["run_id"], _logger(self))))
        return [ref.as_json() for ref in refs]

    async def _ingest(self, refs: list[Ref], worker: Worker) -> None:
        tenant: Tenant = load_tenant(settings().tenants_dir, self.tenant_id)
        async with open_ledger() as ledger:
            await ingest_group(ledger, tenant, refs, worker)


class Record(BaseOperator):
    """Receipts, archive and log lines; an asset event for each table that got rows."""

    def __init__(self, *, tenant_id: str, **kwargs: Any) -> None:
        super().__init__(outlets=[AssetAlias(asset_alias(tenant_id))], **kwargs)
        self.tenant_id = tenant_id

    def execute(self, context: Context) -> None:
        """Settles every file of the run that has its verdict; the others stay pending and are rung for again."""
        pushed = context["ti"].xcom_pull(task_ids="validate", key="refs") or []
        settled = _run(self._record([Ref.from_json(facts) for facts in pushed]))
        rows: dict[str, int] = {}
        for record in settled:
            if record.state is State.COMMITTED and record.table_name:
                rows[record.table_name] = rows.get(record.table_name, 0) + record.rows_written
        for table, count in rows.items():
            asset = Asset(f"mysimbdp://coredms/{keyspace_of(self.tenant_id)}/{table}")
            context["outlet_events"][AssetAlias(asset_alias(self.tenant_id))].add(asset, extra={"rows": count})

    async def _record(self, refs: list[Ref]) -> list[Any]:
        async with open_ledger() as ledger:
            return await record_files(ledger, refs, _logger(self))


class ShowBrokenTenantFile(BaseOperator):
    """Fails with what is wrong with the tenant file, where the tenant's DAG would be."""

    def __init__(self, *, problems: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problems = list(problems)

    def execute(self, context: Context) -> None:
        """Always fails: the run is red until the file is mended."""
        raise AirflowFailException("\n".join(self.problems))  # in the log of a red task


def asset_alias(tenant_id: str) -> str:
    """The alias under which a tenant's DAG announces the tables that got rows."""
    return f"mysimbdp_{tenant_id}"


def _logger(operator: BaseOperator) -> logging.Logger:
    return operator.log  # type: ignore[return-value]  # structlog's logger, which has logging.Logger's methods
