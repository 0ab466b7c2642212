"""The trigger of `watch_inboxes`: the watcher, living in Airflow's triggerer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from mysimbdp.batchingestmanager.watcher import Watcher


class InboxTrigger(BaseTrigger):
    """Never fires: it watches until Airflow cancels it, and Airflow moves it when its triggerer dies."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How another triggerer finds this class again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch. The event after it is never reached, but makes this the generator Airflow asks for."""
        await Watcher(self.log).watch()  # type: ignore[arg-type]  # Airflow's logger has logging.Logger's methods
        yield TriggerEvent(None)  # type: ignore[no-untyped-call]  # Airflow's
