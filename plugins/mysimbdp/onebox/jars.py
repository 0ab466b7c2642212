"""Cassandra's jars: resolved and fetched once into a cache, and checked against the digests kept here."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from mysimbdp.errors import Code, Problem, TerminalError

CASSANDRA_VERSION = "5.0.6"
_COORDINATES = f"org.apache.cassandra:cassandra-all:{CASSANDRA_VERSION}+ch.qos.logback:logback-classic:1.2.12"
DIGESTS = Path(__file__).with_name("cassandra_jars.json")
"""File name → SHA-256 of every jar: the same jars on every machine, or none."""


def listing(cache_folder: Path) -> Path:
    """The file that lists the jars' paths as JSON, once `class_path` has settled them."""
    return cache_folder / f"{CASSANDRA_VERSION}.json"


def class_path(cache_folder: Path) -> list[Path]:
    """The jars of Cassandra, fetched into `cache_folder` when they are not all there yet (66 MB).

    Raises:
        TerminalError: SERVICE_NOT_STARTED when they cannot be fetched or are not the expected ones.
    """
    wanted = expected()
    settled = listing(cache_folder)
    if settled.exists():
        found = [Path(name) for name in json.loads(settled.read_text())]
        if {jar.name for jar in found} == set(wanted) and all(jar.exists() for jar in found):
            return found
    found = _resolve(cache_folder)
    actual = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in found}
    wrong = sorted(name for name in actual.keys() | wanted.keys() if actual.get(name) != wanted.get(name))
    if wrong:
        what = f"Cassandra's jars in {cache_folder} are not the expected ones: {', '.join(wrong[:5])}"
        raise TerminalError(Problem(Code.SERVICE_NOT_STARTED, what))
    settled.write_text(json.dumps([str(jar) for jar in found]))
    return found


@cache
def expected() -> dict[str, str]:
    """The digests that this version of mysimbdp was tested with."""
    return dict(json.loads(DIGESTS.read_text()))


def _resolve(cache_folder: Path) -> list[Path]:
    # Seconds of import, needed on the first start only.
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    cache_folder.mkdir(parents=True, exist_ok=True)
    context = MavenContext(repo_cache=cache_folder / "repository", remote_repos={"central": MAVEN_CENTRAL_URL})
    builder = EnvironmentBuilder(
        context=context, cache_dir=cache_folder / "environments", link_strategy=LinkStrategy.AUTO
    )
    try:
        # The resolver splits the jars over two folders, for a module path; the class path needs both.
        return list(builder.from_endpoint(_COORDINATES).all_jars)
    except Exception as error:  # the resolver raises whatever its HTTP client and parser raise
        raise TerminalError(
            Problem(Code.SERVICE_NOT_STARTED, f"Cassandra's jars could not be fetched: {error}")
        ) from error
