"""A YAML file of limited size, read so that nothing surprising gets in: YAML 1.2 scalars, no key twice, no aliases."""

from __future__ import annotations

import re
import stat
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: ten times slower, otherwise the same
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the two share their interface

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32


@dataclass(frozen=True)
class YamlFault(Exception):  # noqa: N818  # a fault of the customer's file, not of ours
    """Why a file cannot be read as YAML; line and column count from 1."""

    what: str
    line: int | None = None
    column: int | None = None


class _StrictLoader(_Loader):
    """Refuses a key that appears twice, where YAML loaders silently keep the last; a key is always a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlFault("a key must be a plain word", *_place(key_node.start_mark))
            if key_node.value in seen:
                raise YamlFault(f"the key {key_node.value!r} appears twice", *_place(key_node.start_mark))
            seen.add(key_node.value)
            key_node.tag = "tag:yaml.org,2002:str"  # a column may be called null or true
        return super().construct_mapping(node, deep)


# YAML 1.2 core: `no`, `on`, `2018-01-07` and `010` stay what their author wrote.
_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_bytes(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        YamlFault: it is missing, no regular file, unreadable or larger than MAX_BYTES.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise YamlFault("it is not a regular file")
        if facts.st_size > MAX_BYTES:
            raise YamlFault(f"it has {facts.st_size} bytes; at most {MAX_BYTES} are read")
        return path.read_bytes()
    except FileNotFoundError:
        raise YamlFault("the file does not exist") from None
    except OSError as error:
        raise YamlFault(f"it cannot be read: {error.strerror}") from error


def parse(raw: bytes) -> Any:
    """The document in `raw`.

    Raises:
        YamlFault: not UTF-8, not YAML, a key twice, an alias, more than one document, too deep.
    """
    try:
        text = raw.decode("utf-8-sig")
        _refuse_bombs(text)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  # a subclass of the safe loader
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise YamlFault(f"it is not UTF-8: byte 0x{raw[error.start]:02x}", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlFault(f"it is not valid YAML: {error.problem or error.context}", *_place(mark)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlFault(f"it is not valid YAML: {error}") from None


def _refuse_bombs(text: str) -> None:
    """A few aliases can unfold into gigabytes, and the loader's recursion has no limit of its own."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise YamlFault("aliases (*name) are not taken; write the value out", *_place(event.start_mark))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise YamlFault("it is nested too deeply", *_place(event.start_mark))


class Places:
    """Where in the file a key or list item is."""

    def __init__(self, raw: bytes) -> None:
        self._root = yaml.compose(raw.decode("utf-8-sig"), Loader=_StrictLoader)

    def line_of(self, path: Sequence[str | int]) -> int:
        """Line of the deepest part of `path` that is in the file, counted from 1."""
        node, line = self._root, 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if found is None:
                    break
                node = found[1]
                line = found[0].start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def _place(mark: Any) -> tuple[int | None, int | None]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
