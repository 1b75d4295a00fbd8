"""LUN numbers that an array gives out: 0 on every target, or from some number on."""

from __future__ import annotations

import pytest

from tests.simulators.array.client import memory_array
from tests.simulators.array.test_data_path import grant, login

BLOCK = b"\xa5" * 4096


@pytest.mark.parametrize("start", [0, 200, 255, 8191])
def test_a_volume_has_the_number_of_its_id_from_there_on(start: int) -> None:
    with memory_array(lun_numbers_from=start) as client:
        volume = client.volume(client.account())
        grant(client, 1)
        with login(client, volume) as session:
            assert session.report_luns() == [start + 1]
            session.write(start + 1, 0, BLOCK)
            assert session.read(start + 1, 0, 4096) == BLOCK
        assert client.world.witness.read("1", 0, 4096) == BLOCK
