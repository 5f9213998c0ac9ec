"""`isolate: true`: each call of a Python function in a process of its own, which can really be ended.

The parent sends one JSON object on standard input and reads one from standard output; before that, each line end there
is a sign of life. What the function itself prints goes to standard error, so that it cannot be taken for the answer.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from wfrun.adapters.contract import Call, ServiceConfig
from wfrun.adapters.data import parse_json
from wfrun.adapters.failures import shortage
from wfrun.adapters.guard import Guard
from wfrun.adapters.process import Finished, run_process
from wfrun.core.values import Json, canonical
from wfrun.errors import ServiceError

MAX_OUTPUT = 128 * 1024 * 1024

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from wfrun.adapters.isolated_child import answer; answer()"
)


class IsolatedService:
    def __init__(self, config: ServiceConfig) -> None:
        self._config = config
        self._guard = Guard()

    async def call(self, call: Call) -> Json:
        try:
            finished = await run_process(
                [sys.executable, "-c", _BOOT, json.dumps(sys.path)],
                cwd=Path.cwd(),
                env=os.environ,
                stdin=self._request(call).encode(),
                limit=MAX_OUTPUT,
                guard=self._guard,
                on_line=call.heartbeat,
                lock=call.lock,
            )
        except OSError as error:
            message = f"no process could be started for the function: {error.strerror}"
            raise ServiceError("python.start", message, retryable=shortage(error) is not None) from None
        return _outcome(finished)

    def _request(self, call: Call) -> str:
        about = call._asdict()
        del about["heartbeat"], about["lock"]
        deadline = call.deadline.isoformat() if call.deadline else None
        settings = {key: self._config.settings.get(key, {}) for key in ("module", "functions")}
        return canonical(
            {
                "name": self._config.name,
                "folder": str(self._config.folder.resolve()),
                "settings": settings,
                "call": {**about, "deadline": deadline},
            }
        )

    async def close(self) -> None:
        self._guard.close()


def _outcome(finished: Finished) -> Json:
    details: Json = {"stderr": finished.errors} if finished.errors else None
    if finished.overflow:
        message = f"the function answered with more than {MAX_OUTPUT // 1024 // 1024} MiB"
        raise ServiceError("python.too-large", message, retryable=False)
    try:
        outcome: Any = parse_json(finished.output)
    except ValueError:
        message = f"the function's process ended without an answer ({finished.ending})"
        raise ServiceError(f"python.{finished.ending}", message, details=details) from None
    if "error" in outcome:
        raise ServiceError(**outcome["error"])
    return outcome["result"]  # type: ignore[no-any-return]
