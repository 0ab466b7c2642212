"""Exit code 0 when the api-server has a fresh heartbeat of the Airflow component named; standard library only."""

import json
import sys
import urllib.request
from typing import Any

URL = "http://api-server:8080/api/v2/monitor/health"


def is_healthy(health: dict[str, Any], component: str) -> bool:
    """Say whether `component` is healthy by what the api-server answers."""
    return bool((health.get(component) or {}).get("status") == "healthy")


def main() -> int:
    """Return the exit code."""
    with urllib.request.urlopen(URL, timeout=8) as answer:  # a fixed http address
        return 0 if is_healthy(json.load(answer), sys.argv[1]) else 1


if __name__ == "__main__":
    sys.exit(main())
