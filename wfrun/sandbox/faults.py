"""Trouble on demand: `WFRUN_FAIL="payment=decline,shipping=down:2,crm=slow:500"`, or rows of the table `faults`.

    target = system          every action of it, except those that undo
             system.action   exactly this one
    fault  = decline[:N]     the answer is no: 402 `<system>.declined`; another attempt does not help
             down[:N]        503, nothing was done; another attempt may help
             timeout[:N]     no answer, nothing was done
             slow:MS[:N]     MS milliseconds later than usual
             stall[:N]       done, but no answer
             lost[:N]        done, but the connection breaks instead of an answer
             die[:N]         done, but the process is killed instead of an answer

N: only the first N calls with one idempotency key, so that it means the same for one order and for a thousand, and
does not change when a process is restarted. Without it: always; `stall`, `lost` and `die` once, as the effect is what
they are about.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple, NoReturn

from wfrun.errors import ServiceError
from wfrun.sandbox.call import Action

HANG_SECONDS = 60.0
SLICE_SECONDS = 0.02


class AnswerLost(ServiceError):
    """The effect is there; whoever asked learns nothing. Over HTTP the connection is closed without an answer."""


class Fault(NamedTuple):
    target: str
    kind: str
    ms: int = 0
    times: int | None = None

    def hits(self, action: Action, nth: int) -> bool:
        """Whether it strikes the `nth` call (from 1) with one key."""
        aimed = self.target == str(action) or (self.target == action.system and action.undoes is None)
        return aimed and (self.times is None or nth <= self.times)


def pause(seconds: float) -> None:
    """Sleeps in small slices: an exception injected into this thread waits for the end of one, not of the whole."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_SECONDS))


def _slow(fault: Fault, action: Action) -> None:
    pause(fault.ms / 1000)


def _hang(fault: Fault, action: Action) -> NoReturn:
    pause(HANG_SECONDS)
    raise ServiceError("timeout", f"{action} gave no answer", status=504, retryable=True)


def _down(fault: Fault, action: Action) -> NoReturn:
    raise ServiceError("http.503", f"{action.system} is down", status=503, retryable=True)


def _decline(fault: Fault, action: Action) -> NoReturn:
    raise ServiceError(f"{action.system}.declined", f"{action} was declined", status=402, retryable=False)


def _lose(fault: Fault, action: Action) -> NoReturn:
    raise AnswerLost("http.connection", f"the connection to {action.system} broke", retryable=True)


def _die(fault: Fault, action: Action) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


Strike = Callable[[Fault, Action], None]
BEFORE: Mapping[str, Strike] = {"slow": _slow, "timeout": _hang, "down": _down}
WITHIN: Mapping[str, Strike] = {"decline": _decline}
AFTER: Mapping[str, Strike] = {"stall": _hang, "lost": _lose, "die": _die}
KINDS = (*BEFORE, *WITHIN, *AFTER)


def strike(moment: Mapping[str, Strike], faults: Iterable[Fault], action: Action) -> None:
    for fault in faults:
        if fault.kind in moment:
            moment[fault.kind](fault, action)


def parse_faults(text: str, systems: Iterable[str]) -> list[Fault]:
    """The rules of `WFRUN_FAIL`. Raises ServiceError `sandbox.fault` for one that could never strike."""
    return [parse_fault(*rule.partition("=")[::2], systems) for rule in text.split(",") if rule.strip()]


def parse_fault(target: str, fault: str, systems: Iterable[str]) -> Fault:
    """`("crm", "slow:500:2", …)`: 500 ms, the first two calls. Raises ServiceError `sandbox.fault`."""
    target, (kind, *numbers) = target.strip(), [part.strip() for part in fault.split(":")]
    check_known(target.partition(".")[0], "system", systems)
    check_known(kind, "fault", KINDS)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise _mistake(f"{fault!r}: numbers are written in digits")
    ms = int(numbers.pop(0)) if kind == "slow" and numbers else 0
    if len(numbers) > 1 or (kind == "slow" and not ms):
        raise _mistake(f"{fault!r}: it is {'slow:MS' if kind == 'slow' else kind}, and optionally :N")
    return Fault(target, kind, ms, int(numbers[0]) if numbers else 1 if kind in AFTER else None)


def check_known(name: str, what: str, known: Iterable[str]) -> None:
    """Raises ServiceError `sandbox.fault` with the nearest known name."""
    names = list(known)
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        raise _mistake(f"no {what} is called {name!r}: {hint}")


def _mistake(message: str) -> ServiceError:
    return ServiceError("sandbox.fault", message, retryable=False)
