"""What an operator can tune about the one-machine deployment, each by an environment variable."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from mysimbdp.settings import REPOSITORY

JAR_CACHE = REPOSITORY / ".cache" / "cassandra"
"""Outside MYSIMBDP_HOME, so that `make clean` does not fetch Cassandra again."""


class Options(BaseSettings):
    """The onebox's own knobs; each field is the environment variable MYSIMBDP_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="MYSIMBDP_", frozen=True, extra="ignore")

    parallelism: int = Field(default=4, ge=1)
    """Airflow tasks that may run at once on this machine."""
    cassandra_heap: str = Field(default="512M", pattern=r"^[1-9][0-9]*[MG]$")
    """The JVM's -Xmx of the Cassandra node."""
