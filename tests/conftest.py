"""What holds for all of the project's own tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.kit.snapshot import UPDATE

pytest_plugins = ["pytester"]

WIRE = tuple(Path(__file__).parent / each for each in ("wire", "wire_linux", "wire_lio", "wire_sdk", "wire_zadarapy"))

# The same examples on every machine and in every run: a red test here is a bug, never the luck of the draw.
settings.register_profile("own", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("own")


def pytest_addoption(parser: pytest.Parser) -> None:
    """For texts that people read: see tests/kit/snapshot.py."""
    parser.addoption("--update-golden", action="store_true", help="write the golden texts that differ")


def pytest_configure(config: pytest.Config) -> None:
    """Say it to workers too."""
    if config.getoption("--update-golden"):
        os.environ[UPDATE] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, before -m chooses: a forgotten marker would put an outside program into every run."""
    for item in items:
        if any(map(item.path.is_relative_to, WIRE)):
            item.add_marker(pytest.mark.wire)
