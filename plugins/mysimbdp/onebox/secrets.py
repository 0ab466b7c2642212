"""The onebox's passwords and keys: made once, kept in one file only the owner can read."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


def _word() -> str:
    # Letters, digits, - and _ only: safe unquoted in a URL, in CQL and in a shell.
    return secrets.token_urlsafe(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


class Secrets(BaseModel):
    """Everything that must not be known; repr shows none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cassandra_superuser: str = Field(default_factory=_word, repr=False)
    cassandra_platform: str = Field(default_factory=_word, repr=False)
    cassandra_jmx: str = Field(default_factory=_word, repr=False)
    postgres: str = Field(default_factory=_word, repr=False)
    airflow_admin: str = Field(default_factory=_word, repr=False)
    airflow_fernet: str = Field(default_factory=_fernet_key, repr=False)
    airflow_api: str = Field(default_factory=_word, repr=False)
    # 64 bytes: what the signing algorithm (HMAC with SHA-512) asks for at least.
    airflow_jwt: str = Field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)


def load_or_make(home: Path) -> Secrets:
    """The secrets of the onebox in `home`; a new one gets new secrets, one of an older version what it lacks."""
    path = home / "secrets.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    found = Secrets(**known)
    if found.model_dump() != known:
        write_private(path, found.model_dump_json(indent=1) + "\n")
    return found


def write_private(path: Path, text: str) -> None:
    """Write `path` atomically with mode 0600: at no moment can another user read it or a reader see half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        os.fchmod(stream.fileno(), 0o600)  # also when a draft of a killed run was left with another mode
        stream.write(text)
    draft.replace(path)
