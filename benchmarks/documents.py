"""What is run, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "workflows"
ORDER = FOLDER / "order.yaml"
FAILING = FOLDER / "failing.yaml"
THREE = FOLDER / "three.yaml"

# An order has seven steps; of the failing one five complete, the sixth fails, and five are compensated.
STEPS_OF = {ORDER: 7, FAILING: 11}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done of everything. Rates of the slower peer settle with less work."""

    runs: int = 5
    orders: int = 1_000
    concurrency: int = 50
    steps: int = 5_000
    listed: int = 20
    disk_rounds: int = 200
    peer_runs: int = 3
    peer_orders: int = 100
    peer_steps: int = 500


TINY = Sizes(
    runs=1, orders=3, concurrency=2, steps=4, listed=2, disk_rounds=3, peer_runs=1, peer_orders=2, peer_steps=3
)


def write_sequence(folder: Path, steps: int) -> Path:
    """A workflow of `steps` steps one after the other, and one more, `stop`, for resuming: see `noop.stop`."""
    lines = [
        "name: sequence",
        "version: 1",
        f"services: {{ shop: {{ adapter: python, module: {_module(folder)} }} }}",
        "steps:",
        *(f"  - {{ name: step-{number}, service: shop, action: act }}" for number in range(steps)),
        "  - { name: stop, service: shop, action: stop }",
        "",
    ]
    path = folder / "sequence.yaml"
    path.write_text("\n".join(lines))
    return path


def _module(folder: Path) -> str:
    """The services stand beside the workflow that names them."""
    (folder / "noop.py").write_bytes((FOLDER / "noop.py").read_bytes())
    return "noop"
