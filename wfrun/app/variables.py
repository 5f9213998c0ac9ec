"""What `${env.NAME}` and `${secret.NAME}` stand for. Asked at the last moment, and never written down."""

from __future__ import annotations

import os
from pathlib import Path

from wfrun.errors import ExpressionError


def variable(kind: str, name: str) -> str:
    """The value of `env.NAME`, or of `secret.NAME`, which may also stand in the file that `NAME_FILE` names.

    Raises ExpressionError: `expression.undefined` if there is none, `secret.unreadable` if its file cannot be read.
    """
    if name in os.environ:
        return os.environ[name]
    if kind == "secret" and f"{name}_FILE" in os.environ:
        return _read_secret(Path(os.environ[f"{name}_FILE"]), name)
    hint = f"set {name}" if kind == "env" else f"set {name}, or {name}_FILE to the path of a file that holds it"
    raise ExpressionError("expression.undefined", f"{kind}.{name} is not set", hint=hint)


def _read_secret(path: Path, name: str) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"secret.{name}: the file named by {name}_FILE cannot be read: {type(error).__name__}"
        raise ExpressionError("secret.unreadable", message) from None
