from __future__ import annotations

import runpy

import pytest

from mysimbdp.errors import ADVICE, Code
from mysimbdp.settings import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_document_is_current(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: .venv/bin/python docs/generate.py"


@pytest.mark.parametrize("code", Code)
def test_every_code_says_what_to_do(code: Code) -> None:
    assert ADVICE[code].endswith(".")
