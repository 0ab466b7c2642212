"""File names are arbitrary bytes, `os.fsdecode`d: how they are shown, shortened and told apart."""

from __future__ import annotations

import os
import unicodedata

from mysimbdp.errors import Code, Problem, TerminalError

TEMPORARY_SUFFIXES = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".partial", ".swp")
"""Endings that upload programs give to what they have not finished."""

DONE_SUFFIX = ".done"
"""`<name>.done` beside a file says that the file is whole; a marker is never data."""

_LONGEST_EXTENSION = 12

# Control, format (bidi overrides, zero width), surrogate (not UTF-8), private, unassigned, line breaks.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# What no name may hold. Joiners (Cf) are part of Persian and Indic spelling and of emoji, and an unassigned
# code point (Cn) may only be newer than this Python: both are taken, and escaped where they are shown.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def safe_label(name: str | bytes) -> str:
    """Return `name` for logs, receipts and tables: one printable line, never two names with one label.

    Backslashes are doubled, whatever does not print or could reorder or break a line becomes an escape
    (`\\n`, `\\u202e`), and bytes that are not UTF-8 become `\\xNN`.
    """
    text = os.fsdecode(name)
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if "\udc80" <= char <= "\udcff":  # os.fsdecode's stand-in for a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    if unicodedata.category(char) in _UNPRINTABLE:
        # ASCII control gets \u too where unicode_escape says \x: that form is kept for raw bytes.
        escape = char.encode("unicode_escape").decode()
        return f"\\u{ord(char):04x}" if escape.startswith("\\x") else escape
    return char


def shortened(name: str | bytes, limit: int = 80) -> str:
    """Return a stem for a file name of our own: one path component of 1 to `limit` bytes of UTF-8.

    Keeps the extension and what is readable of the rest. Two names may shorten to one: an ingest id follows.
    """
    label = safe_label(name).replace("\\", "_").replace("/", "_").replace("\0", "_")
    label = label.lstrip(".-~ ").rstrip(" ")
    stem, extension = _split(label)
    if len(extension.encode()) > _LONGEST_EXTENSION:
        stem, extension = label, ""
    kept = stem.encode()[: limit - len(extension.encode())].decode(errors="ignore").rstrip(" ")
    return f"{kept}{extension}" or "unnamed"


def _split(name: str) -> tuple[str, str]:
    # The plain rule, where pathlib has special cases: from the last dot on, unless the name begins there.
    stem, dot, extension = name.rpartition(".")
    return (stem, f"{dot}{extension}") if stem else (name, "")


def extension_of(name: str | bytes) -> str:
    """Return the extension with its dot in lower case, or '' when it is not plain ASCII letters and digits."""
    extension = _split(os.fsdecode(name))[1].lower()
    fits = 1 < len(extension) <= _LONGEST_EXTENSION and extension.isascii() and extension[1:].isalnum()
    return extension if fits else ""


def is_temporary(name: str) -> bool:
    """True for what is not, or not yet, data: dot files, drafts of editors and uploads, done markers."""
    if name.startswith(".") or name.endswith("~"):
        return True
    return name.lower().endswith((*TEMPORARY_SUFFIXES, DONE_SUFFIX))


def name_problem(name: str) -> Problem | None:
    """Say why a file of this name is not taken: not UTF-8, control or direction-changing characters.

    Spaces, any script, leading dashes and up to 255 bytes are welcome. What is refused here could not be
    written to Cassandra, or not be read by a person without being taken for something else.
    """
    bad = next((c for c in name if unicodedata.category(c) in _REFUSED or c in _TURNS_TEXT), None)
    if bad is None:
        return None
    label = safe_label(name)
    return Problem(Code.FILE_NAME_NOT_ALLOWED, f"the name holds {_shown(bad)}, which cannot be shown as it is", label)


def checked_component(name: str) -> str:
    """Return `name` if it is a single path component.

    Raises:
        TerminalError: FILE_NAME_NOT_ALLOWED for '', '.', '..', a slash or a NUL.
    """
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        what = "a file name may not be empty, '.', '..' or hold a slash"
        raise TerminalError(Problem(Code.FILE_NAME_NOT_ALLOWED, what, safe_label(name)))
    return name
