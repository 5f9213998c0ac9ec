"""How a step can end, besides well or by being cancelled."""

from __future__ import annotations

from typing import Any

Error = dict[str, Any]


class Failed(Exception):
    """`cleaning`: in what had to be done although this was to stop."""

    def __init__(self, error: Error, *, cleaning: bool = False) -> None:
        super().__init__(error["type"])
        self.error = error
        self.cleaning = cleaning


class Finished(Exception):
    """An `end`: `output` is worked out where it stands, once everything else has come to its end."""

    def __init__(self, output: Any) -> None:
        super().__init__("the end")
        self.output = output


def caused(error: Error, cause: Error) -> Error:
    """The error, with `cause` at the end of the causes that it has."""
    if error is cause:
        return error
    return {**error, "cause": caused(error["cause"], cause) if "cause" in error else cause}
