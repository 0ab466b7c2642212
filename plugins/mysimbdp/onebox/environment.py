"""Every environment variable of the onebox: connections, folders and Airflow's settings, in one place."""

from __future__ import annotations

import json

from mysimbdp.connections import AIRFLOW, COREDMS
from mysimbdp.onebox import cassandra, jars, postgres, roles
from mysimbdp.onebox.options import JAR_CACHE, Options
from mysimbdp.onebox.ports import HOST, Ports
from mysimbdp.onebox.secrets import Secrets
from mysimbdp.settings import REPOSITORY, Settings

ADMIN = "admin"

PICK_UP_SECONDS = 10
"""How often dags/ is parsed again: a new or changed tenant file shows within twice this and a parse."""

_CHATTY = ("airflow.models.dag", "airflow.serialization.definitions.dag", "httpx", "httpcore")


def variables(settings: Settings, options: Options, secrets: Secrets) -> dict[str, str]:
    """What the environment file holds: all that the CLI, Airflow and its tasks need to find each other."""
    ports = Ports.at(settings.port_offset)
    return {
        **_folders(settings, options),
        **_connections(settings, ports, secrets),
        **_airflow(settings, options, secrets, ports),
    }


def _folders(settings: Settings, options: Options) -> dict[str, str]:
    return {
        "MYSIMBDP_HOME": str(settings.home),
        "MYSIMBDP_TENANTS_DIR": str(settings.tenants_dir),
        "MYSIMBDP_CLIENT_APPS_DIR": str(settings.client_apps_dir),
        "MYSIMBDP_DAGS_DIR": str(settings.dags_dir),
        "MYSIMBDP_PORT_OFFSET": str(settings.port_offset),
        "MYSIMBDP_SCAN_SECONDS": str(settings.scan_seconds),
        "MYSIMBDP_LEASE_SECONDS": str(settings.lease_seconds),
        "MYSIMBDP_PARALLELISM": str(options.parallelism),
        "MYSIMBDP_CASSANDRA_HEAP": options.cassandra_heap,
        "AIRFLOW_HOME": str(settings.home / "airflow"),
    }


def _connections(settings: Settings, ports: Ports, secrets: Secrets) -> dict[str, str]:
    coredms = {
        "conn_type": "cassandra",
        "host": HOST,
        "port": ports.cassandra_native,
        "login": roles.PLATFORM_ROLE,
        "password": secrets.cassandra_platform,
        "extra": {"bulk": _bulk(settings, ports, secrets)},
    }
    airflow = {
        "conn_type": "http",
        "schema": "http",
        "host": HOST,
        "port": ports.airflow,
        "login": ADMIN,
        "password": secrets.airflow_admin,
    }
    return {
        f"AIRFLOW_CONN_{COREDMS.upper()}": json.dumps(coredms),
        f"AIRFLOW_CONN_{AIRFLOW.upper()}": json.dumps(airflow),
    }


def _bulk(settings: Settings, ports: Ports, secrets: Secrets) -> dict[str, str]:
    """What the bulk route needs of the node, see coredms/bulk/target.py."""
    return {
        "jmx": f"{HOST}:{ports.cassandra_jmx}",
        "login": cassandra.JMX_LOGIN,
        "password": secrets.cassandra_jmx,
        "folder": str(cassandra.import_folder(settings.home)),
        "jars": str(jars.listing(JAR_CACHE)),
    }


def _airflow(settings: Settings, options: Options, secrets: Secrets, ports: Ports) -> dict[str, str]:
    home = settings.home
    address = f"http://{HOST}:{ports.airflow}"
    wanted: dict[str, dict[str, object]] = {
        "core": {
            "executor": "LocalExecutor",
            "parallelism": options.parallelism,
            "dags_folder": settings.dags_dir,
            "plugins_folder": REPOSITORY / "plugins",
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": home / "airflow" / "passwords.json",
            "fernet_key": secrets.airflow_fernet,
            "execution_api_server_url": f"{address}/execution/",
            "hostname_callable": "socket.gethostname",  # the default asks a name server
            "default_task_retry_delay": 5,
            # A changed tenant file must not wait for the default of 30 s on top of the parse.
            "min_serialized_dag_update_interval": 5,
        },
        "database": {
            "sql_alchemy_conn": postgres.url(home, secrets.postgres, "psycopg2"),
            "sql_alchemy_conn_async": postgres.url(home, secrets.postgres, "asyncpg"),
        },
        "api": {
            "host": HOST,
            "port": ports.airflow,
            "base_url": address,
            "workers": 1,
            "secret_key": secrets.airflow_api,
        },
        "api_auth": {"jwt_secret": secrets.airflow_jwt},
        "logging": {
            "base_log_folder": home / "logs" / "airflow",
            "dag_processor_child_process_log_directory": home / "logs" / "airflow" / "dag_processor",
            "colored_console_log": False,
            # Told anew at every parse of dags/ or request: these alone would fill a disk.
            "namespace_levels": " ".join(f"{name}=WARNING" for name in _CHATTY),
        },
        "scheduler": {
            "scheduler_idle_sleep_time": 0.2,
            "catchup_by_default": False,
            # After a kill -9 the work of the dead is found again in a minute, not in five.
            "orphaned_tasks_check_interval": 30,
            "task_instance_heartbeat_timeout": 40,
            # How often the DAG processor looks for the DAGs of removed tenants.
            "parsing_cleanup_interval": 2 * PICK_UP_SECONDS,
        },
        "dag_processor": {
            "refresh_interval": PICK_UP_SECONDS,
            "min_file_process_interval": PICK_UP_SECONDS,
            "parsing_processes": 1,
            "stale_dag_threshold": 2 * PICK_UP_SECONDS,
            "print_stats_interval": 0,
        },
        "usage_data_collection": {"enabled": False},
    }
    return {
        f"AIRFLOW__{section.upper()}__{key.upper()}": str(value)
        for section, keys in wanted.items()
        for key, value in keys.items()
    }
