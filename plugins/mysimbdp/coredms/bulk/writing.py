"""One run of the Java program: told the order, fed with frames, asked what came of it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from mysimbdp.coredms.bulk.frames import END, order
from mysimbdp.coredms.bulk.program import ENVIRONMENT, command
from mysimbdp.coredms.bulk.target import BulkTarget
from mysimbdp.errors import Code, Problem, TerminalError, TransientError

END_SECONDS = 120.0
"""How long the program may take to end once its rows are not wanted any more: an import under way is finished."""
_LAST_WORDS_BYTES = 2000
_KINDS: dict[str, tuple[type[TransientError | TerminalError], Code]] = {
    "refused": (TerminalError, Code.COREDMS_REFUSED),
    "missing": (TerminalError, Code.SCHEMA_NOT_APPLIED),
    "unreachable": (TransientError, Code.COREDMS_UNREACHABLE),
    "denied": (TransientError, Code.BULK_FAILED),
    "failed": (TransientError, Code.BULK_FAILED),
}
"""What each kind of Fault.java is to us. A login that is denied is the platform's fault, not the data's."""


class Writing:
    """The SSTables of one load, in a folder of their own below the target's; `close` it whatever happened."""

    def __init__(self, process: Process, folder: Path, errors: IO[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the program is started with pipes")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._folder = folder
        self._errors = errors
        self._said = b""

    @classmethod
    async def begin(cls, target: BulkTarget) -> Writing:
        """Start the program.

        Raises:
            TransientError: BULK_FAILED.
        """
        folder = target.folder / secrets.token_hex(8)
        try:
            await asyncio.to_thread(target.remove_leftovers)
            folder.mkdir(mode=0o700)
            scratch = folder / "tmp"
            scratch.mkdir()
            argv = await asyncio.to_thread(command, target, scratch)
            errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=PIPE, stdout=PIPE, stderr=errors, env=ENVIRONMENT, cwd=folder, start_new_session=True
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TransientError(Problem(Code.BULK_FAILED, str(error))) from error
        writing = cls(process, folder, errors)
        # Standard input, unlike arguments and environment, is nobody else's to read.
        login = order([target.host, str(target.port), target.login, target.password, str(folder)])
        writing._stdin.write(login)
        return writing

    async def tell(self, words: Sequence[str | int]) -> None:
        """The rest of the order, see SSTables.java."""
        await self.send(order(words))

    async def send(self, data: bytes) -> None:
        """Hand over a frame; waits while the program has enough to do.

        Raises:
            TransientError, TerminalError: as `finish`, once the program has ended before its time.
        """
        try:
            self._stdin.write(data)
            await self._stdin.drain()
        except ConnectionError:
            await self._answer()

    async def finish(self) -> int:
        """Have the rest written and all of it imported; returns how many rows the program counted.

        Raises:
            TransientError: COREDMS_UNREACHABLE; BULK_FAILED, the node let nobody in or did not import, or the
                program was killed.
            TerminalError: COREDMS_REFUSED, a row's key; SCHEMA_NOT_APPLIED.
        """
        await self.send(END)
        return await self._answer()

    async def close(self) -> None:
        """Return when nothing of the program is left: what it has not begun to import, it gives up."""
        try:
            self._stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
            self._said += await self._stdout.read()
            # It removes its folder. Killed, it could not; but then the node may be moving files out of it.
            if b"importing" not in self._said:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        finally:
            self._errors.close()

    async def _answer(self) -> int:
        async for line in self._stdout:
            self._said += line
            word, _, rest = line.decode(errors="replace").strip().partition(" ")
            if word == "done":
                return int(rest)
            if word == "error":
                kind, _, message = rest.partition(" ")
                fault, code = _KINDS[kind]
                raise fault(Problem(code, message))
        how = await self._process.wait()
        self._errors.seek(0)
        last_words = self._errors.read()[-_LAST_WORDS_BYTES:].decode(errors="replace").strip()
        what = f"its program ended with {how} before it was done: {last_words or 'it said nothing'}"
        raise TransientError(Problem(Code.BULK_FAILED, what))
