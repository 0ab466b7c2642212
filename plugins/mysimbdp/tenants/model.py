"""The tenant file as a strict model: unknown keys are errors, and nothing secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from mysimbdp.tenants.cqltypes import CqlType
from mysimbdp.tenants.names import dag_id_of, keyspace_of, pool_of
from mysimbdp.tenants.retention import Retention
from mysimbdp.tenants.strict import Strict
from mysimbdp.tenants.typefields import ColumnType, FieldType, refuse
from mysimbdp.tenants.usertypes import in_order, looked_up_columns, unfit_keys

TenantId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,30}$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
AppName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
FileFormat = Literal["csv", "txt", "json", "jsonl", "xml", "parquet"]
TypeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]

LINEAGE_COLUMNS: dict[str, CqlType] = {"_ingest": "timeuuid", "_source": "bigint"}
"""Kept by every table that does not opt out: which ingest wrote the row, from which record of its file."""

FILE_KEY_COLUMNS: dict[str, CqlType] = {"_file": "text", "_bucket": "bigint", "_record": "bigint"}
"""The primary key of a table without a natural one: the file's sha256 and the record number in it. `_bucket` is
`_record // FILE_BUCKET_RECORDS`: without it a file of any size would be a single partition."""

FILE_BUCKET_RECORDS = 1000


class Constraints(Strict):
    """What a tenant may store. The first three names are historical and stay."""

    max_nb_files: int = Field(gt=0, description="How many files the tenant may have stored in all.")
    max_file_size: float = Field(gt=0, description="How many megabytes (10**6 bytes) it may have stored in all.")
    allowed_file_format: list[FileFormat] = Field(min_length=1, description="Formats that are taken.")
    max_mb_per_file: float | None = Field(
        default=None, gt=0, description="Largest single file in megabytes; without it max_file_size is the limit."
    )

    @property
    def max_stored_bytes(self) -> int:
        """max_file_size in bytes."""
        return int(self.max_file_size * 1_000_000)

    @property
    def max_bytes_per_file(self) -> int:
        """The per-file limit in bytes."""
        return int((self.max_mb_per_file or self.max_file_size) * 1_000_000)


class FolderSource(Strict):
    """The tenant's landing inbox on this platform."""

    kind: Literal["folder"] = "folder"
    done_marker: bool = Field(
        default=False, description="Take a file only once an empty file `<name>.done` lies beside it."
    )


class Column(Strict):
    """One column; in the file a bare type name is short for `{type: …}`."""

    type: ColumnType
    required: bool = Field(default=False, description="A row without a value is rejected.")
    from_: str | None = Field(default=None, alias="from", description="Field name in the file, if another.")

    @model_validator(mode="before")
    @classmethod
    def _bare_type(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value


class Table(Strict):
    """A Cassandra table of the tenant's keyspace."""

    columns: dict[ColumnName, Column] = Field(min_length=1)
    partition_key: list[ColumnName] = Field(
        default=[], description="Natural key, its partition part; leave out for (file digest, record number)."
    )
    clustering_key: list[ColumnName] = Field(default=[], description="Natural key, its clustering part.")
    lineage: bool = Field(default=True, description="Keep _ingest and _source with every row.")

    @model_validator(mode="after")
    def _key_columns_exist(self) -> Self:
        key = [*self.partition_key, *self.clustering_key]
        unknown = [name for name in key if name not in self.columns]
        if unknown:
            raise ValueError(f"key column {unknown[0]!r} is not among the columns")
        if len(set(key)) != len(key):
            raise ValueError("a column appears twice in the key")
        if self.clustering_key and not self.partition_key:
            raise ValueError("clustering_key needs a partition_key")
        return self

    def with_types(self, types: Mapping[str, CqlType]) -> Table:
        """The same table with other types for the columns named."""
        columns = {
            name: column.model_copy(update={"type": types.get(name, column.type)})
            for name, column in self.columns.items()
        }
        return self.model_copy(update={"columns": columns})

    @property
    def has_natural_key(self) -> bool:
        """False when the key is (file digest, record number)."""
        return bool(self.partition_key)

    @property
    def cql_partition_key(self) -> list[str]:
        """Partition key columns as they are in Cassandra."""
        return list(self.partition_key) if self.has_natural_key else ["_file", "_bucket"]

    @property
    def cql_clustering_key(self) -> list[str]:
        """Clustering columns as they are in Cassandra."""
        return list(self.clustering_key) if self.has_natural_key else ["_record"]

    @property
    def required_columns(self) -> list[str]:
        """Columns a row must have a value for: the natural key and those declared required."""
        key = {*self.partition_key, *self.clustering_key}
        return [name for name, column in self.columns.items() if column.required or name in key]

    @property
    def cql_columns(self) -> dict[str, CqlType]:
        """Every column as it is in Cassandra, the platform's own ones included, in a fixed order."""
        own = {name: column.type for name, column in self.columns.items()}
        file_key = {} if self.has_natural_key else FILE_KEY_COLUMNS
        return {**file_key, **own, **(LINEAGE_COLUMNS if self.lineage else {})}


class Route(Strict):
    """Which files go through which app into which table; the first route whose pattern fits decides."""

    files: list[str] = Field(min_length=1, description="Shell patterns on the file name, e.g. `apps*.csv`.")
    table: TableName
    app: AppName | None = Field(default=None, description="Folder below client_apps/<tenant>/; none = built in.")


class Batch(Strict):
    """How the tenant's files are ingested."""

    routes: list[Route] = Field(default=[], description="May be left out by a tenant with a single table.")
    max_active_runs: int = Field(default=8, ge=2, le=64, description="Runs of the tenant's DAG at once.")
    max_parallel_tasks: int = Field(default=2, ge=1, le=64, description="Slots of the tenant's Airflow pool.")
    group_mb: float = Field(default=16, gt=0, description="Small files share one task up to this many megabytes.")
    max_attempts: int = Field(default=3, ge=1, le=10, description="Tries of a file whose app fails.")
    app_timeout_seconds: float = Field(default=3600, gt=0)
    app_max_memory_mb: int = Field(default=2048, ge=64)
    app_max_output_mb: float = Field(default=20_000, gt=0)
    max_rejected_share: float = Field(
        default=1.0, ge=0, le=1, description="A file with a larger share of rejected rows is rejected whole."
    )


class Tenant(Strict):
    """One customer: constraints, source, tables and the way its files are ingested."""

    tenant: TenantId = Field(description="The id; must equal the folder's name.")
    title: str = ""
    constraints: Constraints
    source: FolderSource = FolderSource()
    types: dict[TypeName, Annotated[dict[ColumnName, FieldType], Field(min_length=1)]] = Field(
        default={}, description="User types: name → its fields and their types; a column is then of type frozen<name>."
    )
    tables: dict[TableName, Table] = Field(min_length=1)
    batch: Batch = Batch()
    retention: Retention = Retention()
    weight: float = Field(default=1.0, gt=0, le=100, description="Share of the workers among busy tenants.")

    @field_validator("types")
    @classmethod
    def _fields_have_types(cls, types: dict[str, dict[str, CqlType]]) -> dict[str, dict[str, CqlType]]:
        found, misfits = in_order(types)
        refuse(misfits)
        return {name: dict(user_type.fields) for name, user_type in found.items()}

    @field_validator("tables")
    @classmethod
    def _columns_have_types(cls, tables: dict[str, Table], info: ValidationInfo) -> dict[str, Table]:
        if "types" not in info.data:  # they are wrong themselves
            return tables
        known, _ = in_order(info.data["types"])
        done, misfits = {}, []
        for name, table in tables.items():
            columns, wrong = looked_up_columns({name: column.type for name, column in table.columns.items()}, known)
            unfit = unfit_keys(columns, partition_key=table.partition_key, clustering_key=table.clustering_key)
            misfits += [replace(misfit, place=(name, *misfit.place)) for misfit in [*wrong, *unfit]]
            done[name] = table.with_types(columns)
        refuse(misfits)
        return done

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> Self:
        for route in self.batch.routes:
            if route.table not in self.tables:
                raise ValueError(f"batch.routes: table {route.table!r} is not among the tables")
        if not self.batch.routes and len(self.tables) > 1:
            raise ValueError("batch.routes: a tenant with several tables needs routes")
        return self

    @property
    def keyspace(self) -> str:
        """The tenant's keyspace in coredms."""
        return keyspace_of(self.tenant)

    @property
    def pool(self) -> str:
        """The tenant's Airflow pool."""
        return pool_of(self.tenant)

    @property
    def dag_id(self) -> str:
        """The tenant's batch DAG."""
        return dag_id_of(self.tenant)
