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
from wfrun.engines.temporal.codec import Claims, store_at

DEFAULT_ADDRESS = "localhost:7233"


class Settings(NamedTuple):
    """`blobs` is the directory or address of what is too large for a history. All else is in TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_… or the file that TEMPORAL_CONFIG_FILE names."""

    task_queue: str = TASK_QUEUE
    blobs: str | None = None

    @classmethod
    def of_environment(cls) -> Settings:
        return cls(os.environ.get("TEMPORAL_TASK_QUEUE") or TASK_QUEUE, os.environ.get("WFRUN_BLOBS") or None)


async def connect(settings: Settings) -> Namespace:
    """Raises JournalError, UsageError."""
    blobs = None if settings.blobs is None else store_at(settings.blobs)
    try:
        config = ClientConfig.load_client_connect_config()
        config.setdefault("target_host", DEFAULT_ADDRESS)
        converter = DataConverter(payload_codec=Claims(blobs))
        client = await Client.connect(**config, data_converter=converter, connect_timeout=PATIENCE)
    except (RuntimeError, OSError, ValueError) as error:
        raise unreachable(_words(str(error))) from error
    return Namespace(client, settings.task_queue)


# What TLS and connections end with, in the words of the library, and what that means for whoever wanted to connect.
_MEANINGS = {
    "UnknownIssuer": "nobody who is trusted here has signed its certificate: --tls-ca names another authority",
    "NotValidForName": "its certificate is for another name",
    "Expired": "its certificate has expired",
    "CertificateRequired": "it wants a client's certificate: --tls-cert and --tls-key",
    "UnknownCA": "it does not trust the client's certificate",
    "InvalidContentType": "it does not speak TLS",
    # Whoever refuses a client hangs up, and that may be heard before why.
    "ConnectionReset": "it ended the connection: it may want TLS, or another client's certificate",
    "transport error": "it ended the connection: it may want TLS, or another client's certificate",
    "operation was canceled": "it ended the connection: it may want TLS, or another client's certificate",
}


def _words(error: str) -> str:
    """What the system says, out of what the library makes of it."""
    said = re.findall(r'message: "([^"]+)"', error)
    meant = [meaning for word, meaning in _MEANINGS.items() if word in error]
    place = os.environ.get("TEMPORAL_ADDRESS", DEFAULT_ADDRESS)
    return f"{place}: {[*meant, *said[-1:]][0]}" if meant or said else error
