"""Classes of plain data that nobody changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass that is never changed, which type checkers see to: what would be generated for it besides its
    constructor takes longer than a small workflow takes to run."""
    return dataclass(slots=True, eq=False, repr=False)(cls)
