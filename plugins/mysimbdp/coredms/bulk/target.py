"""Where SSTables can be handed to the node, as the connection to coredms says."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mysimbdp.connections import Connection

LEFT_AFTER_SECONDS = 3600
"""A folder in which nothing has happened for so long was left by a program that was killed."""


@dataclass(frozen=True, slots=True)
class BulkTarget:
    """A node's JMX address and login, the folder it imports from, and the list of its jars (a JSON file of paths).

    The folder must be on the file system of the node's data, since it takes SSTables over by renaming them.
    """

    host: str
    port: int
    login: str
    password: str = field(repr=False)
    folder: Path
    jars: Path

    @classmethod
    def of(cls, conn: Connection) -> Self | None:
        """From `bulk` in the connection's `extra` (jmx, login, password, folder, jars); None when it is not there."""
        facts = conn.extra.get("bulk")
        if not facts:
            return None
        facts = json.loads(facts) if isinstance(facts, str) else facts
        host, _, port = facts["jmx"].rpartition(":")
        return cls(host, int(port), facts["login"], facts["password"], Path(facts["folder"]), Path(facts["jars"]))

    def within_reach(self) -> bool:
        """Whether this process is where it can lay SSTables before the node."""
        return self.folder.is_dir() and os.access(self.folder, os.W_OK | os.X_OK) and self.jars.is_file()

    def class_path(self) -> list[Path]:
        """The node's jars."""
        return [Path(name) for name in json.loads(self.jars.read_text())]

    def remove_leftovers(self) -> None:
        """Remove folders of loads whose programs were killed, once no node can be moving files out of them."""
        for left in self.folder.iterdir():
            newest = max((entry.lstat().st_mtime for entry in (left, *left.glob("*"))), default=time.time())
            if time.time() - newest > LEFT_AFTER_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
