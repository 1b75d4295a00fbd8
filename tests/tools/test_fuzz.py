"""A little fuzzing in every run; the million is `tox -e fuzz`."""

from __future__ import annotations

import random

import pytest

from simulators.iscsi.scsi import device_server
from tests.fuzz import __main__ as fuzz
from tests.fuzz import against_initiator, against_target


@pytest.mark.parametrize("seed", range(4))
def test_a_few_conversations_end_as_they_may(seed: int) -> None:
    chance = random.Random(seed)
    assert against_target.converse(chance) > 0
    assert against_initiator.converse(chance) > 0


def test_what_must_not_happen_is_found_and_can_be_had_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> object:
        raise KeyError("a bug")

    monkeypatch.setattr(device_server, "begin", broken)
    assert fuzz.main(["--pdus", "5000"]) == 1
    again = capsys.readouterr().out.split()[-1]
    assert fuzz.main(["--conversation", again]) == 1
