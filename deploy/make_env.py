"""Writes .env for docker compose, 0600, with generated passwords and keys: `python3 deploy/make_env.py [FILE]`.

What is in the file already is kept, what is missing is added; nothing is printed. Standard library only, since
whoever has Docker need not have anything else.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

DEFAULT = Path(__file__).resolve().parents[1] / ".env"


def word() -> str:
    """Return 192 random bits as letters, digits, - and _: nothing that YAML, JSON, a URL or a shell would mind."""
    return secrets.token_urlsafe(24)


def fernet_key() -> str:
    """Return a key of the form Airflow encrypts connections with."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


VARIABLES: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": word,
    "MYSIMBDP_COREDMS_PASSWORD": word,
    "MYSIMBDP_COREDMS_SUPERUSER_PASSWORD": word,
    "MYSIMBDP_AIRFLOW_PASSWORD": word,
    "RABBITMQ_PASSWORD": word,
    "AIRFLOW_FERNET_KEY": fernet_key,
    "AIRFLOW_API_SECRET_KEY": word,
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_urlsafe(64),  # HMAC-SHA-512 asks for 64 bytes
}

SETTINGS = {
    "MYSIMBDP_AIRFLOW_PORT": "8080",
    "MYSIMBDP_CASSANDRA_PORT": "9042",
    "MYSIMBDP_RABBITMQ_PORT": "5672",
    "MYSIMBDP_RABBITMQ_UI_PORT": "15672",
    "MYSIMBDP_PARALLELISM": "8",
    "MYSIMBDP_CASSANDRA_HEAP": "1G",
}
"""Published ports (on 127.0.0.1) and sizes, to be changed by hand."""


def complete(text: str) -> str:
    """Return the file's `text` with what is missing added at its end."""
    there = {line.split("=", 1)[0].strip() for line in text.splitlines() if "=" in line}
    missing = {name: value for name, value in SETTINGS.items() if name not in there}
    missing.update({name: make() for name, make in VARIABLES.items() if name not in there})
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return start + "".join(f"{name}={value}\n" for name, value in missing.items())


def main(arguments: list[str]) -> int:
    """Write the file named in `arguments`, or .env beside docker-compose.yaml; return the exit code."""
    path = Path(arguments[0]) if arguments else DEFAULT
    text = path.read_text() if path.exists() else "# Passwords and keys of docker compose. Never commit this file.\n"
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(complete(text))
    draft.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
