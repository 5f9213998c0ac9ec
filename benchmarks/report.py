"""The table: a line for each figure, with the aim that it is held against and what the peer needed for the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, measured once in each run, in `unit`. Rates (`…/s`) are better when higher, everything else lower.

    `aim` is the bound that the median should keep, `peer` the median of the peer for the same work.
    """

    name: str
    unit: str
    values: Sequence[float]
    aim: float | None = None
    peer: float | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def is_rate(self) -> bool:
        return self.unit.endswith("/s")

    @property
    def kept(self) -> bool | None:
        """Whether the aim was kept; None without one."""
        if self.aim is None:
            return None
        return self.median >= self.aim if self.is_rate else self.median <= self.aim

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer, above 1, or worse, below; None without a peer."""
        if self.peer is None:
            return None
        return self.median / self.peer if self.is_rate else self.peer / self.median

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": round(self.median, 3),
            "low": round(min(self.values), 3),
            "high": round(max(self.values), 3),
            "runs": len(self.values),
            "aim": self.aim,
            "kept": self.kept,
            "peer": None if self.peer is None else round(self.peer, 3),
            "ratio": None if self.ratio is None else round(self.ratio, 2),
        }


def text_table(lines: Sequence[Line], peer: str) -> str:
    """Columns aligned, one line of text for each figure. `peer` is the name that heads the peer's column."""
    rows = [("", "median", "low … high", "aim", "", peer, "ratio"), *map(_cells, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_row(row, widths) for row in rows)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The name to the left, figures to the right."""
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([cells[0].ljust(widths[0]), *padded[1:]]).rstrip()


def _cells(line: Line) -> tuple[str, ...]:
    sign = "≥" if line.is_rate else "≤"
    return (
        line.name,
        f"{number(line.median)} {line.unit}",
        f"{number(min(line.values))} … {number(max(line.values))}",
        "" if line.aim is None else f"{sign} {number(line.aim)}",
        {None: "", True: "kept", False: "missed"}[line.kept],
        "" if line.peer is None else number(line.peer),
        "" if line.ratio is None else f"{line.ratio:.1f} ×",
    )


def number(value: float) -> str:
    """Three digits that matter: `0.281`, `4.35`, `12,345`."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
