"""Persistent reservations and RESERVE/RELEASE over two nexuses of one unit (SPC-4 §5.13)."""

from __future__ import annotations

import pytest

from simulators.iscsi.scsi import device_server
from simulators.iscsi.scsi.device import Devices
from simulators.iscsi.scsi.nexus import Nexus
from simulators.iscsi.scsi.operation import Outcome
from tests.simulators.iscsi.fake_fabric import TARGET, MemoryUnit

READ, WRITE = bytes.fromhex("28000000000000000100"), bytes.fromhex("2a000000000000000100")
TEST_UNIT_READY, INQUIRY, MODE_SENSE = bytes(6), bytes.fromhex("120000006000"), bytes.fromhex("1a003f00ff00")
REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_AND_IGNORE = range(7)
WE, EA, WE_RO, EA_RO, WE_AR, EA_AR = 1, 3, 5, 6, 7, 8
GOOD, CHECK, CONFLICT = 0x00, 0x02, 0x18
RESERVATIONS_PREEMPTED, RESERVATIONS_RELEASED, REGISTRATIONS_PREEMPTED = (6, 0x2A, 3), (6, 0x2A, 4), (6, 0x2A, 5)


class Host:
    """One nexus with the unit at number 1."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.aborted: list[int] = []
        port = f"iqn.2010-01.org.example:{name},i,0x800102030405"
        self.nexus = Nexus(TARGET, {1: scene.unit}, initiator_port=port, devices=scene.devices, abort_tasks=self._abort)

    def _abort(self, lun_number: int) -> bool:
        self.aborted.append(lun_number)
        return True

    def run(self, cdb: bytes, data: bytes = b"") -> Outcome:
        operation = device_server.begin(cdb.ljust(16, b"\0"), 1, self.nexus)
        return device_server.finish(operation, data[: operation.data_out_bytes])

    def status(self, cdb: bytes) -> int:
        return self.run(cdb, bytes(512)).status

    def out(self, action: int, key: int = 0, action_key: int = 0, kind: int = 0, flags: int = 0) -> Outcome:
        cdb = bytes((0x5F, action, kind, 0, 0)) + (24).to_bytes(4, "big") + b"\0"
        return self.run(
            cdb, key.to_bytes(8, "big") + action_key.to_bytes(8, "big") + bytes((0, 0, 0, 0, flags, 0, 0, 0))
        )

    def register(self, key: int) -> None:
        assert self.out(REGISTER_AND_IGNORE, 0, key).status == GOOD

    def told(self) -> list[tuple[int, int, int]]:
        """The unit attentions that wait."""
        news = []
        while (sense := self.nexus.take_attention(1)) is not None:
            news.append((sense.key, sense.asc, sense.ascq))
        return news

    def keys(self) -> tuple[int, list[int]]:
        data = self.run(bytes.fromhex("5e000000000000ffff00")).data_in
        assert int.from_bytes(data[4:8], "big") == len(data) - 8
        return int.from_bytes(data[:4], "big"), [
            int.from_bytes(data[at : at + 8], "big") for at in range(8, len(data), 8)
        ]

    def reservation(self) -> tuple[int, int] | None:
        outcome = self.run(bytes.fromhex("5e010000000000ffff00"))
        assert outcome.status == GOOD
        data = outcome.data_in
        return (int.from_bytes(data[8:16], "big"), data[21]) if len(data) > 8 else None


class Scene:
    def __init__(self) -> None:
        self.unit, self.devices = MemoryUnit(), Devices()
        self.one, self.two, self.three = Host(self, "one"), Host(self, "two"), Host(self, "three")

    def reserved(self, kind: int) -> tuple[Host, Host, Host]:
        """One holds, two is registered, three is a stranger."""
        self.one.register(1)
        self.two.register(2)
        assert self.one.out(RESERVE, 1, kind=kind).status == GOOD
        return self.one, self.two, self.three


# Who may read and write: the holder, another registrant, a stranger (SPC-4 table 65).
@pytest.mark.parametrize(
    ("kind", "registrant", "stranger"),
    [
        (WE, (GOOD, CONFLICT), (GOOD, CONFLICT)),
        (EA, (CONFLICT, CONFLICT), (CONFLICT, CONFLICT)),
        (WE_RO, (GOOD, GOOD), (GOOD, CONFLICT)),
        (EA_RO, (GOOD, GOOD), (CONFLICT, CONFLICT)),
        (WE_AR, (GOOD, GOOD), (GOOD, CONFLICT)),
        (EA_AR, (GOOD, GOOD), (CONFLICT, CONFLICT)),
    ],
)
def test_each_type_lets_through_whom_it_should(
    kind: int, registrant: tuple[int, int], stranger: tuple[int, int]
) -> None:
    holder, other, unknown = Scene().reserved(kind)
    assert (holder.status(READ), holder.status(WRITE)) == (GOOD, GOOD)
    assert (other.status(READ), other.status(WRITE)) == registrant
    assert (unknown.status(READ), unknown.status(WRITE)) == stranger


def test_what_only_looks_is_never_in_conflict() -> None:
    _, _, stranger = Scene().reserved(EA)
    for cdb in ("000000000000", "120000006000", "25" + "00" * 9, "a30a0000000000000100", "5e000000000000010000"):
        assert stranger.status(bytes.fromhex(cdb)) == GOOD, cdb
    assert stranger.status(MODE_SENSE) == CONFLICT


def test_a_reservation_is_read_with_the_key_of_its_holder_or_none_where_all_hold() -> None:
    assert Scene().reserved(WE_RO)[2].reservation() == (1, WE_RO)
    assert Scene().reserved(EA_AR)[2].reservation() == (0, EA_AR)
    assert Scene().one.reservation() is None


def test_registering_counts_and_needs_the_key_that_is_there() -> None:
    scene = Scene()
    one = scene.one
    assert one.out(REGISTER, 7, 1).status == CONFLICT
    assert one.out(REGISTER, 0, 1).status == GOOD
    assert one.out(REGISTER, 0, 2).status == CONFLICT
    assert one.out(REGISTER, 1, 2).status == GOOD
    assert one.keys() == (2, [2])
    assert one.out(REGISTER, 2, 0).status == GOOD
    assert one.keys() == (3, [])


def test_who_is_not_registered_can_do_nothing_else() -> None:
    one, _, stranger = Scene().reserved(WE)
    for action in (RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT):
        assert stranger.out(action, 1, 1, kind=WE).status == CONFLICT
    assert one.reservation() == (1, WE)


def test_reserving_again_is_idempotent_and_a_second_reservation_a_conflict() -> None:
    one, two, _ = Scene().reserved(WE)
    assert one.out(RESERVE, 1, kind=WE).status == GOOD
    assert one.out(RESERVE, 1, kind=EA).status == CONFLICT
    assert two.out(RESERVE, 2, kind=WE).status == CONFLICT


@pytest.mark.parametrize(
    ("kind", "news"), [(WE, []), (EA_RO, [RESERVATIONS_RELEASED]), (WE_AR, [RESERVATIONS_RELEASED])]
)
def test_a_release_is_told_to_registrants_where_they_had_access(kind: int, news: list[object]) -> None:
    one, two, stranger = Scene().reserved(kind)
    wrong = one.out(RELEASE, 1, kind=EA)
    assert wrong.sense is not None
    assert (wrong.sense.asc, wrong.sense.ascq) == (0x26, 0x04)
    assert one.out(RELEASE, 1, kind=kind).status == GOOD
    assert one.reservation() is None
    assert (one.told(), two.told(), stranger.told()) == ([], news, [])


def test_a_release_by_who_holds_nothing_changes_nothing() -> None:
    one, two, _ = Scene().reserved(WE)
    assert two.out(RELEASE, 2, kind=WE).status == GOOD
    assert one.reservation() == (1, WE)


def test_unregistering_the_holder_ends_its_reservation_but_not_a_shared_one() -> None:
    one, two, _ = Scene().reserved(WE_RO)
    assert one.out(REGISTER, 1, 0).status == GOOD
    assert two.told() == [RESERVATIONS_RELEASED]
    assert two.reservation() is None
    one, two, _ = Scene().reserved(WE_AR)
    assert one.out(REGISTER, 1, 0).status == GOOD
    assert two.reservation() == (0, WE_AR)
    assert two.out(REGISTER, 2, 0).status == GOOD
    assert two.reservation() is None


def test_clear_removes_everything_and_tells_the_others() -> None:
    one, two, stranger = Scene().reserved(EA)
    assert two.out(CLEAR, 2).status == GOOD
    assert (one.told(), two.told(), stranger.told()) == ([RESERVATIONS_PREEMPTED], [], [])
    assert one.keys() == (3, [])


def test_preempting_takes_the_reservation_over() -> None:
    one, two, _ = Scene().reserved(WE)
    assert two.out(PREEMPT, 2, 1, kind=EA).status == GOOD
    assert one.told() == [REGISTRATIONS_PREEMPTED]
    assert two.reservation() == (2, EA)
    assert two.keys() == (3, [2])
    assert (one.status(READ), one.aborted) == (CONFLICT, [])


def test_preempt_and_abort_ends_the_commands_too() -> None:
    one, two, _ = Scene().reserved(WE)
    assert two.out(PREEMPT_AND_ABORT, 2, 1, kind=WE).status == GOOD
    assert (one.aborted, two.aborted) == ([1], [])


def test_preempting_a_key_that_holds_nothing_only_removes_it() -> None:
    one, two, _ = Scene().reserved(WE)
    assert one.out(PREEMPT, 1, 2, kind=WE).status == GOOD
    assert two.told() == [REGISTRATIONS_PREEMPTED]
    assert one.reservation() == (1, WE)
    assert one.out(PREEMPT, 1, 9, kind=WE).status == CONFLICT


def test_a_shared_reservation_is_preempted_with_key_zero() -> None:
    one, two, _ = Scene().reserved(EA_AR)
    assert two.out(PREEMPT, 2, 0, kind=WE_RO).status == GOOD
    assert two.reservation() == (2, WE_RO)
    assert one.told() == [REGISTRATIONS_PREEMPTED]
    plain, _, _ = Scene().reserved(WE)
    assert plain.out(PREEMPT, 1, 0, kind=WE).status == CHECK


def test_one_may_preempt_oneself_to_change_the_type() -> None:
    one, two, _ = Scene().reserved(WE_RO)
    assert one.out(PREEMPT, 1, 1, kind=EA).status == GOOD
    assert one.reservation() == (1, EA)
    assert two.told() == [RESERVATIONS_RELEASED]


def test_types_scopes_lengths_and_flags_that_do_not_exist_are_refused() -> None:
    one = Scene().one
    one.register(1)
    for kind in (0, 2, 4, 9, 0x11):
        assert one.out(RESERVE, 1, kind=kind).status == CHECK
    for flags in (0x04, 0x08):
        assert one.out(REGISTER, 1, 1, flags=flags).status == CHECK
    assert one.run(bytes.fromhex("5f060000000000001900"), bytes(25)).status == CHECK


def test_capabilities_name_all_six_types_and_whether_they_outlive_power() -> None:
    one = Scene().one
    assert one.run(bytes.fromhex("5e020000000000ffff00")).data_in.hex() == "00080180ea010000"
    assert one.out(REGISTER, 0, 1, flags=1).status == GOOD
    assert one.run(bytes.fromhex("5e020000000000ffff00")).data_in.hex() == "00080181ea010000"


def test_full_status_names_each_initiator_port() -> None:
    one, _, _ = Scene().reserved(WE)
    data = one.run(bytes.fromhex("5e030000000000ffff00")).data_in
    first = data[8:]
    assert first[:8] == (1).to_bytes(8, "big")
    assert (first[12], first[13]) == (1, WE)
    assert first[18:20] == (1).to_bytes(2, "big")
    assert first[24:26] == b"\x45\0"
    assert first[28:].startswith(b"iqn.2010-01.org.example:one,i,0x800102030405\0")
    assert b"iqn.2010-01.org.example:two,i," in data


def test_a_registration_outlives_its_session_and_a_power_loss_only_if_it_asked_to() -> None:
    scene = Scene()
    scene.reserved(WE)
    scene.one.nexus.close()
    again = Host(scene, "one")
    assert again.reservation() == (1, WE)
    assert again.status(WRITE) == GOOD
    scene.devices.lose_power()
    assert Host(scene, "one").keys() == (0, [])
    keeping = Host(scene, "one")
    assert keeping.out(REGISTER, 0, 5, flags=1).status == GOOD
    scene.devices.lose_power()
    assert Host(scene, "one").keys() == (0, [5])


def test_what_nobody_sees_and_nobody_changed_is_forgotten() -> None:
    scene = Scene()
    for host in (scene.one, scene.two, scene.three):
        assert len(scene.devices) == 1
        host.nexus.close()
    assert len(scene.devices) == 0


# ---- RESERVE and RELEASE ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reserve", "release"), [("160000000000", "170000000000"), ("56" + 9 * "00", "57" + 9 * "00")])
def test_reserve_is_for_one_nexus_alone(reserve: str, release: str) -> None:
    scene = Scene()
    one, two = scene.one, scene.two
    assert one.status(bytes.fromhex(reserve)) == GOOD
    assert one.status(bytes.fromhex(reserve)) == GOOD
    assert two.status(bytes.fromhex(reserve)) == CONFLICT
    assert [two.status(cdb) for cdb in (READ, TEST_UNIT_READY, MODE_SENSE, INQUIRY)] == [CONFLICT] * 3 + [GOOD]
    assert two.status(bytes.fromhex(release)) == GOOD
    assert two.status(READ) == CONFLICT
    assert one.status(bytes.fromhex(release)) == GOOD
    assert two.status(READ) == GOOD


def test_reserve_ends_with_its_nexus() -> None:
    scene = Scene()
    assert scene.one.status(bytes.fromhex("160000000000")) == GOOD
    scene.one.nexus.close()
    assert scene.two.status(WRITE) == GOOD


def test_reserve_and_registrations_exclude_each_other() -> None:
    scene = Scene()
    scene.one.register(1)
    assert scene.one.status(bytes.fromhex("160000000000")) == CONFLICT
    other = Scene()
    assert other.one.status(bytes.fromhex("160000000000")) == GOOD
    assert other.two.out(REGISTER, 0, 1).status == CONFLICT
