"""A customer, its inbox, and one run of the platform over it: the code of Airflow's tasks, without Airflow."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from cassandra.cluster import NoHostAvailable
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mysimbdp.audit import audit_tenant
from mysimbdp.batchingestmanager.adoption import adopt
from mysimbdp.batchingestmanager.direct import ingest_directly
from mysimbdp.batchingestmanager.ingest import Worker, ingest_group
from mysimbdp.batchingestmanager.intake import Intake, Intaker, Source
from mysimbdp.batchingestmanager.record import record_files
from mysimbdp.coredms.schema import apply_tenant
from mysimbdp.errors import TransientError
from mysimbdp.landing.completeness import Seen, complete_files, scan, seen
from mysimbdp.landing.layout import Landing
from mysimbdp.landing.names import safe_label
from mysimbdp.landing.receipts import Receipt, read_receipt
from mysimbdp.ledger.ledger import Ledger, open_ledger
from mysimbdp.ledger.record import FileRecord
from mysimbdp.settings import settings
from mysimbdp.tenants.model import Tenant

Result = TypeVar("Result")
LOG = logging.getLogger("mysimbdp.test")
EVENTS: dict[str, Any] = {"columns": {"id": "bigint", "word": "text"}}
"""No natural key: the rows of one content are one partition, whatever else is in the table."""

_numbers = itertools.count(1)


def in_ledger(work: Callable[[Ledger], Awaitable[Result]]) -> Result:
    """Do something with an open ledger."""

    async def do() -> Result:
        async with open_ledger() as ledger:
            return await work(ledger)

    return asyncio.run(do())


def tenant_facts(name: str, **changes: Any) -> dict[str, Any]:
    """A tenant file with one table `events`; `changes` replace top-level keys."""
    formats = ["csv", "txt", "json", "jsonl", "xml", "parquet"]
    return {
        "tenant": name,
        "constraints": {"max_nb_files": 10_000, "max_file_size": 1000, "allowed_file_format": formats},
        "tables": {"events": EVENTS},
        **changes,
    }


@dataclass(frozen=True)
class Customer:
    """A tenant with its tables applied; `reader` is a session of the other driver."""

    tenant: Tenant
    reader: Any

    @classmethod
    def make(cls, reader: Any, **changes: Any) -> Customer:
        """A customer nobody else has: `changes` replace top-level keys of the tenant file."""
        name = f"s{uuid.uuid4().hex[:12]}"  # two packages import this module, each under a name of its own
        tenant = Tenant.model_validate(tenant_facts(name, **changes))
        apply_tenant(tenant)
        Landing(settings(), name).ensure()
        return cls(tenant, reader)

    def again(self, **changes: Any) -> Customer:
        """The same customer after its tenant file was changed."""
        tenant = Tenant.model_validate(tenant_facts(self.name, **changes))
        apply_tenant(tenant)
        return Customer(tenant, self.reader)

    @property
    def name(self) -> str:
        return self.tenant.tenant

    @property
    def landing(self) -> Landing:
        return Landing(settings(), self.name)

    def app(self, name: str, script: str, *, output: str = "jsonl") -> None:
        """Give the tenant an app, a Python script."""
        folder = settings().client_apps_dir / self.name / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.py").write_text(script)
        manifest = {"command": ["python3", "app.py"], "kind": "rows", "output": output, "version": "1"}
        (folder / "app.yaml").write_text(yaml.safe_dump(manifest))

    def drop(self, name: str, content: bytes | str) -> Path:
        """Put a file into the inbox."""
        path = self.landing.inbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def complete(self) -> list[Seen]:
        """What the watcher would ring for now."""
        look = scan(self.landing.inbox)
        return complete_files(look, look, done_marker=self.tenant.source.done_marker)

    # One run, as in Airflow

    async def validate(
        self, ledger: Ledger, run_id: str, files: Sequence[Seen], wanted: Iterable[str] | None = ()
    ) -> Intake:
        """The task `validate`."""
        intaker = Intaker(ledger, self.tenant, run_id, LOG)
        ids = None if wanted is None else set(wanted)
        adopted = await adopt(ledger, self.name, run_id, intaker, LOG, wanted=ids)
        return await intaker.take_in([Source(one, self.landing.inbox / one.name) for one in files], adopted)

    async def ingest(self, ledger: Ledger, run_id: str, intake: Intake, *, tries: int = 1) -> None:
        """The task `ingest`, with retries and without their pauses."""
        for number in range(1, tries + 1):
            try:
                for group in intake.groups:
                    worker = Worker(f"{run_id}:{number}", run_id, LOG)
                    await ingest_group(ledger, self.tenant, group, worker)
            except TransientError:
                continue  # after the last try too: `record` runs all the same
            else:
                return

    async def record(self, ledger: Ledger, intake: Intake) -> list[FileRecord]:
        """The task `record`."""
        return await record_files(ledger, intake.refs, LOG)

    def run(self, run_id: str | None = None, *, tries: int = 4, wanted: Iterable[str] | None = ()) -> list[FileRecord]:
        """One run over what is complete in the inbox; returns the files it settled."""
        name = run_id or f"run{next(_numbers)}"

        async def work(ledger: Ledger) -> list[FileRecord]:
            intake = await self.validate(ledger, name, self.complete(), wanted)
            await self.ingest(ledger, name, intake, tries=tries)
            return await self.record(ledger, intake)

        return in_ledger(work)

    def run_one(self, name: str, content: bytes | str) -> FileRecord:
        """Drop a file and run; returns its record."""
        self.drop(name, content)
        (settled,) = self.run()
        return settled

    def direct(self, path: Path) -> FileRecord:
        """`mysimbdp ingest`."""
        return in_ledger(lambda ledger: ingest_directly(ledger, self.tenant, path, LOG))

    # What is there afterwards

    def look(self, name: str) -> Seen:
        """How an entry of the inbox looks now."""
        return seen(name, (self.landing.inbox / name).lstat())

    def inbox(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.landing.inbox))

    def receipts(self, name: str | None = None) -> list[Receipt]:
        """All receipts, or those of a file, oldest first."""
        paths = [path for path in self.landing.receipts.glob("*.json") if not path.name.endswith(".purged.json")]
        found = [read_receipt(path) for path in paths]
        read = [receipt for receipt in found if receipt is not None]
        assert len(read) == len(found), "a receipt cannot be read"
        mine = [receipt for receipt in read if name is None or receipt.file == safe_label(name)]
        return sorted(mine, key=lambda receipt: receipt.finished_at)

    def receipt(self, record: FileRecord) -> Receipt:
        """The one receipt of an ingest."""
        (found,) = [receipt for receipt in self.receipts() if receipt.ingest_id == record.ingest_id]
        return found

    def records(self) -> list[FileRecord]:
        return in_ledger(lambda ledger: ledger.records(self.name))

    def _read(self, query: str, *values: str) -> list[Any]:
        # After an outage the plain driver takes a while to notice that the node is back.
        for attempt in Retrying(
            retry=retry_if_exception_type(NoHostAvailable),
            stop=stop_after_delay(90),
            wait=wait_fixed(0.5),
            reraise=True,
        ):
            with attempt:
                return list(self.reader.execute(query, values or None))
        raise AssertionError("tenacity either returns or raises")

    def rows(self, content: bytes | str | None = None, table: str = "events") -> list[dict[str, Any]]:
        """Rows in coredms, of one content or of all, without the platform's columns, in order."""
        query = f"SELECT * FROM tenant_{self.name}.{table}"
        if content is None:
            found = self._read(query)
        else:
            raw = content.encode() if isinstance(content, str) else content
            digest = hashlib.sha256(raw).hexdigest()
            found = self._read(f'{query} WHERE "_file" = %s AND "_bucket" = 0', digest)
        plain = [dict(zip(row._fields, row, strict=True)) for row in found]
        columns = self.tenant.tables[table].columns
        return sorted(
            ({name: row[name] for name in columns} for row in plain), key=lambda row: tuple(map(str, row.values()))
        )

    def log_lines(self, name: str) -> list[str]:
        """Lines of server.log about a file."""
        path = settings().logs_dir / "server.log"
        text = path.read_text() if path.exists() else ""
        return [line for line in text.splitlines() if safe_label(name) in line]

    def staged(self) -> list[str]:
        return sorted(folder.name for folder in self.landing.staging_root.iterdir())

    def balanced(self) -> None:
        """The audit names nothing, and nothing lies about."""
        found = in_ledger(lambda ledger: audit_tenant(ledger, settings(), self.name))
        assert found.discrepancies == []
        assert found.balance.received == len(self.records())

    def at_rest(self) -> None:
        """Balanced, nothing pending, nothing in inbox and staging, one receipt for each arrival."""
        self.balanced()
        records = self.records()
        assert [record for record in records if not record.state.is_final] == []
        assert in_ledger(lambda ledger: ledger.arrivals.pending(self.name)) == []
        assert self.inbox() == []
        assert self.staged() == []
        assert sorted(str(receipt.ingest_id) for receipt in self.receipts()) == sorted(
            str(record.ingest_id) for record in records
        )
