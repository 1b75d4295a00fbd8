"""The numbers that the bridge knows by heart are libvirt's."""

from __future__ import annotations

import libvirt
import pytest

from hypervisor_bridge.kvm import constants

NAMES = [each for each in vars(constants) if each.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_is_libvirts(name: str) -> None:
    assert getattr(constants, name) == getattr(libvirt, f"VIR_{name}")
