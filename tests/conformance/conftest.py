"""A Temporal dev server for all tests here, and the engine on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.remote import Stage
from tests.support.temporal import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("temporal")) as server:
        yield server


@pytest.fixture(scope="module")
def stage(server: Server) -> Iterator[Stage]:
    stage = Stage(server)
    yield stage
    stage.close()
