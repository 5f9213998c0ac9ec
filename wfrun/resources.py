"""Data files that are shipped with the program: the JSON Schemas and the gallery of example workflows."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, e.g. `resource("schemas", "workflow.schema.json")`.

    An installed wheel carries them in `wfrun/_shipped/`, a checkout beside the package. Raises FileNotFoundError.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))
