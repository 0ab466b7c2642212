"""What the sample customers have in their client-input-directories: public data, generated data and foreign files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import vega_datasets

from mysimbdp.clients.generate import generate

SAMPLE_ROWS = 20_000
SAMPLE_SEED = 2018
SAMPLE_BAD_SHARE = 0.002

_VEGA = Path(vega_datasets.__file__).parent / "_data"
_FOREIGN = {
    # Beginnings of the real things: enough to show that they are looked at and left where they are.
    "atlas": {"budget.xlsx": b"PK\x03\x04 an Office document", "airports.csv.part": b"iata,name\nstill being wri"},
    "playstore": {"screenshot.png": b"\x89PNG\r\n\x1a\n a picture"},
}


def write_samples(client_folder: Path, *, rows: int = SAMPLE_ROWS) -> dict[str, list[Path]]:
    """Fill `client_folder`/<tenant>/ of the sample tenants; return the files that are eligible, by tenant.

    Files that are there already with the right content are not touched, so a second call changes nothing. `rows` is
    the number of generated Play Store rows.
    """
    files: dict[str, list[Path]] = {"atlas": [], "playstore": []}
    for name in ("airports.csv", "seattle-weather.csv", "cars.json"):
        files["atlas"].append(_written(client_folder / "atlas" / name, partial(shutil.copyfile, _VEGA / name)))
    apps = client_folder / "playstore" / f"apps-{rows}.csv"
    files["playstore"].append(_written(apps, partial(_generate, rows=rows)))
    for tenant, foreign in _FOREIGN.items():
        for name, content in foreign.items():
            _written(client_folder / tenant / name, partial(_put, content=content))
    return files


def _written(path: Path, write: Callable[[Path], object]) -> Path:
    """Have `write` make the file, unless one of the same content is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    write(fresh)
    if path.exists() and path.read_bytes() == fresh.read_bytes():
        fresh.unlink()
    else:
        fresh.replace(path)
    return path


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _generate(path: Path, rows: int) -> None:
    generate(path, rows=rows, seed=SAMPLE_SEED, bad_share=SAMPLE_BAD_SHARE)
