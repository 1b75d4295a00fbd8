from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulators.array.vpsa.client import Client, memory_array


@pytest.fixture
def client() -> Iterator[Client]:
    with memory_array() as opened:
        yield opened
