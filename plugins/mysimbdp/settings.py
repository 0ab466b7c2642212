"""Where things are: every folder and knob that comes from the environment, in one strict model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """The platform's settings; each field is the environment variable MYSIMBDP_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="MYSIMBDP_", frozen=True, extra="ignore")

    home: Path = REPOSITORY / ".onebox"
    tenants_dir: Path = REPOSITORY / "tenants"
    client_apps_dir: Path = REPOSITORY / "client_apps"
    dags_dir: Path = REPOSITORY / "dags"
    port_offset: int = 0
    scan_seconds: float = 0.1
    """Pause between two looks at the inboxes; a file is complete when two looks agree."""
    lease_seconds: int = 30
    """How long a claim outlives the last sign of life of the process that holds it."""
    checkpoint_rows: int = Field(default=1_000_000, ge=1)
    """After so many rows of a file a load is durable and noted: a killed one goes on from there."""

    @property
    def landing_dir(self) -> Path:
        """Per tenant: inbox/ (the customer writes), receipts/ and rejected/ (the customer reads)."""
        return self.home / "landing"

    @property
    def staging_dir(self) -> Path:
        """Platform-private copies being ingested, one folder an ingest."""
        return self.home / "staging"

    @property
    def archive_dir(self) -> Path:
        """Committed files, kept for replay."""
        return self.home / "archive"

    @property
    def logs_dir(self) -> Path:
        """server.log and the services' own logs."""
        return self.home / "logs"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once; tests call `settings.cache_clear()` after changing them."""
    return Settings()
