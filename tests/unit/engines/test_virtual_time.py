"""The loop on which time jumps, which many tests go by."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from math import inf
from threading import Event

import pytest

from tests.support.clock import AtOnce, Elsewhere, VirtualLoop, run_virtually, virtual_time
from tests.support.world import EPOCH


def test_a_year_passes_in_no_time_and_all_clocks_agree() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await asyncio.sleep(365 * 86_400)
        assert loop.now() - EPOCH == timedelta(seconds=loop.time()) == timedelta(days=365)

    run_virtually(main())


def test_everything_happens_in_the_order_of_its_time() -> None:
    happened: list[int] = []

    async def after(seconds: int) -> None:
        await asyncio.sleep(seconds)
        happened.append(seconds)

    async def main() -> None:
        await asyncio.gather(*(after(seconds) for seconds in (3600, 1, 86_400, 60)))

    run_virtually(main())
    assert happened == [1, 60, 3600, 86_400]


def test_time_stands_still_while_a_thread_works() -> None:
    go_on = Event()
    times: list[float] = []

    def work() -> None:
        go_on.wait(10)

    async def main(loop: VirtualLoop) -> None:
        worker = Elsewhere(loop)
        done = loop.create_future()
        worker.put(work, done.set_result)
        loop.call_later(5, times.append, 5)
        asyncio.get_running_loop().call_soon(go_on.set)
        assert await done is None
        times.append(loop.time())
        await asyncio.sleep(5)
        worker.close()

    with virtual_time() as loop:
        loop.run_until_complete(main(loop))
    assert times == [0, 5]


def test_it_is_quiet_when_nothing_will_happen_by_itself() -> None:
    async def main(loop: VirtualLoop) -> float:
        for_ever = asyncio.ensure_future(asyncio.sleep(inf))
        loop.call_later(7, lambda: None)
        await loop.quiet()
        for_ever.cancel()
        return loop.time()

    with virtual_time() as loop:
        assert loop.run_until_complete(main(loop)) == 7


def test_nothing_to_wait_for_is_an_error_and_no_hanging() -> None:
    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        run_virtually(asyncio.sleep(inf))


@pytest.mark.parametrize("error", [None, OSError("full")])
def test_a_worker_without_a_thread_tells_what_came_of_it(error: OSError | None) -> None:
    def work() -> None:
        if error is not None:
            raise error

    async def main(loop: VirtualLoop) -> BaseException | None:
        done: asyncio.Future[BaseException | None] = loop.create_future()
        AtOnce(loop).put(work, done.set_result)
        assert not done.done()
        return await done

    with virtual_time() as loop:
        assert loop.run_until_complete(main(loop)) is error
