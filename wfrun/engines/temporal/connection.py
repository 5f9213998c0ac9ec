"""Reaching Temporal: where it is, and with which right. Temporal's own variables and configuration files are read."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig

from wfrun.engines.temporal import TASK_QUEUE
from wfrun.engines.temporal.client import PATIENCE, Namespace, unreachable
from wfrun.engines.temporal.codec import Claims, Folder

DEFAULT_ADDRESS = "localhost:7233"


class Settings(NamedTuple):
    """`blobs` is the directory of what is too large for a history. All else is in TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_… or the file that TEMPORAL_CONFIG_FILE names."""

    task_queue: str = TASK_QUEUE
    blobs: str | None = None

    @classmethod
    def of_environment(cls) -> Settings:
        return cls(os.environ.get("TEMPORAL_TASK_QUEUE") or TASK_QUEUE, os.environ.get("WFRUN_BLOBS") or None)


async def connect(settings: Settings) -> Namespace:
    """Raises JournalError."""
    blobs = None if settings.blobs is None else Folder(settings.blobs)
    try:
        config = ClientConfig.load_client_connect_config()
        config.setdefault("target_host", DEFAULT_ADDRESS)
        converter = DataConverter(payload_codec=Claims(blobs))
        client = await Client.connect(**config, data_converter=converter, connect_timeout=PATIENCE)
    except (RuntimeError, OSError, ValueError) as error:
        raise unreachable(_words(str(error))) from error
    return Namespace(client, settings.task_queue)


def _words(error: str) -> str:
    """What the system says, out of what the library makes of it."""
    said = re.findall(r'message: "([^"]+)"', error)
    place = os.environ.get("TEMPORAL_ADDRESS", DEFAULT_ADDRESS)
    return f"{place}: {said[-1]}" if said else error
