"""What the sample customers have, and sending it with fetchdata, as they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mysimbdp.clients.fetchdata import Fetchdata, Fetched
from mysimbdp.clients.generate import generate
from mysimbdp.clients.landing_folder import LandingFolder
from mysimbdp.clients.samples import SAMPLE_BAD_SHARE, SAMPLE_SEED, write_samples
from mysimbdp.clients.sent import SentLog
from mysimbdp.landing.layout import Landing
from mysimbdp.settings import Settings
from mysimbdp.tenants.store import load_tenant

NEWS_ROWS = 2000
NEWS_NAME = "apps-news-{:03d}.csv"
"""Each run but the first adds one such file, so that there is always something new to ingest."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A sample customer: its files that must land, in the order it wrote them, and what fetchdata made of all."""

    tenant: str
    files: Sequence[Path]
    fetched: Sequence[Fetched]


def send_all(settings: Settings, *, rows: int) -> list[Customer]:
    """Write the customers' files and send the eligible ones that were not sent before."""
    client = settings.home / "client"
    first = not (client / "playstore").exists()
    files = {tenant: list(paths) for tenant, paths in write_samples(client, rows=rows).items()}
    files["playstore"] += _news(client / "playstore", add=not first)
    return [Customer(tenant, paths, _send(settings, tenant, client / tenant)) for tenant, paths in files.items()]


def _news(folder: Path, *, add: bool) -> list[Path]:
    there = sorted(folder.glob(NEWS_NAME.replace("{:03d}", "*")))
    if add:
        path = folder / NEWS_NAME.format(len(there) + 1)
        generate(path, rows=NEWS_ROWS, seed=SAMPLE_SEED + len(there) + 1, bad_share=SAMPLE_BAD_SHARE)
        there.append(path)
    return there


def _send(settings: Settings, tenant: str, folder: Path) -> list[Fetched]:
    landing = Landing(settings, tenant)
    landing.ensure()
    to = LandingFolder(landing.inbox.parent)
    sent = SentLog(settings.home / "fetchdata", tenant, to.address)
    program = Fetchdata(load_tenant(settings.tenants_dir, tenant), folder, to, sent)
    with program.alone():
        return program.send(program.choose(), lambda _seen, _count: None)
