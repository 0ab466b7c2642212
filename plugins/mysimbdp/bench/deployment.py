"""The deployment that benchmarks start for themselves, apart from any that is in use."""

from __future__ import annotations

import os
from pathlib import Path

from mysimbdp.onebox import envfile
from mysimbdp.onebox.onebox import Onebox
from mysimbdp.settings import REPOSITORY, Settings, settings

HOME = REPOSITORY / ".onebox-bench"
PORT_OFFSET = 20_000


def deployment(home: Path, tenants: str) -> Onebox:
    """The onebox below `home`, whose tenant files are in the folder `tenants` there."""
    return Onebox(Settings(home=home, tenants_dir=home / tenants, port_offset=PORT_OFFSET))


def use(onebox: Onebox) -> None:
    """Make `onebox` the one that this process and its children talk to."""
    os.environ.update(envfile.read(onebox.env_file))
    settings.cache_clear()
