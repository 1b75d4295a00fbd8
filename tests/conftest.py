"""What holds for all of the project's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

WIRE = (Path(__file__).parent / "wire", Path(__file__).parent / "wire_sdk")

# The same examples on every machine and in every run: a red test here is a bug, never the luck of the draw.
settings.register_profile("own", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("own")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, before -m chooses: a forgotten marker would put an outside program into every run."""
    for item in items:
        if any(map(item.path.is_relative_to, WIRE)):
            item.add_marker(pytest.mark.wire)
