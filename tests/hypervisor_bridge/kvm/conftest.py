"""Labs that are closed after each test; without libvirt-python these tests are not collected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

try:
    import libvirt  # noqa: F401 - only whether it is there
except ImportError:
    collect_ignore_glob = ["test_*.py"]

if TYPE_CHECKING:
    from tests.hypervisor_bridge.kvm.lab import Lab


@pytest.fixture
def make_lab() -> Iterator[Callable[..., Lab]]:
    """Make labs; all are closed in the end."""
    from tests.hypervisor_bridge.kvm.lab import Lab

    labs: list[Lab] = []

    def make(**settings: Any) -> Lab:
        labs.append(Lab(**settings))
        return labs[-1]

    yield make
    for each in labs:
        each.close()


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    """Two hosts, no CHAP."""
    return make_lab()
