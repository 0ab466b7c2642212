"""File names customers really send, and some they should not."""

from __future__ import annotations

import os

WELCOME: dict[str, str] = {
    "plain": "apps.csv",
    "spaces": "my apps 2026.csv",
    "leading dash": "-rf.csv",
    "shell characters": "$(reboot);`id`|*?'\".csv",
    "backslash": "a\\nb.csv",
    "unicode": "données-приложения-アプリ.csv",
    "decomposed unicode": "donne\u0301es.csv",
    "emoji with joiner": "👩\u200d💻.csv",
    "Persian with non-joiner": "می\u200cخواهم.csv",
    "255 bytes": f"{'a' * 251}.csv",
    "255 bytes of two-byte letters": f"{'é' * 125}x.csv",
    "percent and format signs": "%s%n{}.csv",
    "rich markup": "[red]apps[bold].csv",
    "many dots": "a..b...csv",
    "upper-case extension": "APPS.CSV",
}
"""Taken as they are."""

REFUSED: dict[str, str] = {
    "newline": "a.csv\n2026-11-23 12:00:00,000 :: INFO :: mysimbdp : forged.csv",
    "carriage return": "a\rb.csv",
    "tab": "a\tb.csv",
    "escape sequence": "\x1b[2Jclear.csv",
    "surrogate bytes": os.fsdecode(b"caf\xe9.csv"),
    "line separator": "a\u2028b.csv",
    "right-to-left override": "a\u202evsc.exe.csv",
    "isolate": "a\u2066b.csv",
}
"""Rejected by name, with a receipt."""

ALL = {**WELCOME, **REFUSED}
