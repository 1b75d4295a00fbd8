"""The vendor's own SDK, as published, takes our answers for those of an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance.contract import ArrayWorld, Secret
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import LoginRefused
from simulators.iscsi.initiator import Session
from tests.wire_sdk.conftest import HOST

# The SDK is older than the libraries it uses, and warns of unverified certificates, which it asks for.
pytestmark = pytest.mark.filterwarnings("ignore")

GB = 10**9
BLOCK = b"\xa5" * 4096
Login = Callable[..., Session]


@pytest.fixture
def account(sdk: Any) -> Any:
    return sdk.add_account("tenant", initiator_secret="one-way-secret", target_secret="mutual-secret").account


@pytest.fixture
def volume(sdk: Any, account: Any) -> Any:
    made = sdk.create_volume("vol", account.account_id, GB, enable512e=True, attributes={"a": 1})
    sdk.create_volume_access_group("group", initiators=[HOST], volumes=[made.volume_id])
    return made.volume


def refusal(call: Callable[..., object], *arguments: object, **more: object) -> tuple[str, int]:
    """Name and code of the error, as the SDK's users see them."""
    from solidfire.common import ApiServerError

    with pytest.raises(ApiServerError) as raised:
        call(*arguments, **more)
    return raised.value.error_name, raised.value.error_code


def clone_result(sdk: Any, handle: int, *, keep: bool = False) -> Any:
    while True:
        answer = sdk.get_async_result(handle, keep_result=keep)
        if answer["status"] != "running":
            return answer


def test_the_cluster(sdk: Any) -> None:
    info = sdk.get_cluster_info().cluster_info
    assert len(info.unique_id) == 4
    assert info.uuid is not None
    assert float(sdk.get_api().current_version) == sdk.api_version
    assert sdk.get_cluster_version_info().cluster_apiversion == str(sdk.api_version)
    assert sdk.get_cluster_capacity().cluster_capacity.used_space == 0
    assert sdk.get_limits().volume_size_min == GB
    assert sdk.get_cluster_stats().cluster_stats.read_ops == 0
    assert sdk.get_cluster_state(force=True).state == "Active"
    assert sdk.get_cluster_master_node_id().node_id == sdk.list_active_nodes().nodes[0].node_id
    assert {each.type for each in sdk.list_drives().drives} == {"volume", "block"}
    assert sdk.list_cluster_faults().faults == []
    assert sdk.list_virtual_networks().virtual_networks == []
    assert sdk.get_current_cluster_admin().cluster_admin.username == "admin"
    assert [each.access for each in sdk.list_cluster_admins().cluster_admins] == [["administrator"]]
    assert sdk.get_cluster_full_threshold().fullness == "stage1Happy"
    assert sdk.list_cluster_pairs().cluster_pairs == []


def test_accounts(sdk: Any, account: Any) -> None:
    assert account.initiator_secret.secret == "one-way-secret"
    assert sdk.get_account_by_name("tenant").account.account_id == account.account_id
    changed = sdk.modify_account(account.account_id, target_secret="another-secret", status="locked").account
    assert (changed.status, changed.target_secret.secret) == ("locked", "another-secret")
    assert [each.username for each in sdk.list_accounts().accounts] == ["tenant"]
    made_up = sdk.add_account("second").account
    assert len(str(made_up.target_secret.secret)) == 16
    sdk.remove_account(account.account_id)
    assert refusal(sdk.get_account_by_id, account.account_id) == ("xUnknownAccount", 500)


def test_volumes(sdk: Any, account: Any, volume: Any) -> None:
    assert (volume.status, volume.attributes, volume.qos.min_iops) == ("active", {"a": 1}, 50)
    assert volume.total_size >= GB
    changed = sdk.modify_volume(volume.volume_id, total_size=2 * GB, qos={"minIOPS": 100}).volume
    assert (changed.total_size >= 2 * GB, changed.qos.min_iops, changed.qos.curve["4096"]) == (True, 100, 100)
    for listed in (
        sdk.list_volumes(volume_name="vol"),
        sdk.list_active_volumes(),
        sdk.list_volumes_for_account(account.account_id),
        sdk.list_volumes(volume_status="active", accounts=[account.account_id]),
    ):
        assert [each.volume_id for each in listed.volumes] == [volume.volume_id]
    assert sdk.get_volume_count().count == 1
    assert sdk.get_volume_efficiency(volume.volume_id).deduplication == 1


def test_deleting_restoring_and_purging(sdk: Any, account: Any, volume: Any) -> None:
    deleted = sdk.delete_volume(volume.volume_id).volume
    assert (deleted.status, deleted.delete_time < deleted.purge_time) == ("deleted", True)
    assert [each.volume_id for each in sdk.list_deleted_volumes().volumes] == [volume.volume_id]
    sdk.restore_deleted_volume(volume.volume_id)
    second = sdk.create_volume("second", account.account_id, GB, enable512e=True).volume_id
    sdk.modify_volumes([volume.volume_id, second], attributes={"b": 2})
    assert len(sdk.delete_volumes(account_ids=[account.account_id]).volumes) == 2
    sdk.purge_deleted_volume(second)
    sdk.purge_deleted_volumes(volume_ids=[volume.volume_id])
    assert sdk.list_volumes().volumes == []
    sdk.remove_account(account.account_id)


def test_access_groups_and_initiators(sdk: Any, account: Any, volume: Any) -> None:
    (group,) = sdk.list_volume_access_groups().volume_access_groups
    assert (group.initiators, group.volumes) == ([HOST], [volume.volume_id])
    number = group.volume_access_group_id
    sdk.remove_volumes_from_volume_access_group(number, [volume.volume_id])
    assert refusal(sdk.remove_volumes_from_volume_access_group, number, [1])[0] == "xNotInVolumeAccessGroup"
    sdk.add_volumes_to_volume_access_group(number, [volume.volume_id])
    from solidfire.models import CreateInitiator, LunAssignment, ModifyInitiator

    wish = CreateInitiator(name="iqn.2000-01.org.example:two", alias="two", attributes={}, require_chap=False)
    (made,) = sdk.create_initiators([wish]).initiators
    sdk.add_initiators_to_volume_access_group(number, [made.initiator_name])
    (changed,) = sdk.modify_initiators([ModifyInitiator(initiator_id=made.initiator_id, alias="changed")]).initiators
    assert (changed.alias, changed.volume_access_groups) == ("changed", [number])
    assert [each.initiator_name for each in sdk.list_initiators().initiators] == [HOST, made.initiator_name]
    sdk.modify_volume_access_group_lun_assignments(number, [LunAssignment(volume_id=volume.volume_id, lun=7)])
    luns = sdk.get_volume_access_group_lun_assignments(number).volume_access_group_lun_assignments
    assert [each.lun for each in luns.lun_assignments] == [7]
    sdk.remove_initiators_from_volume_access_group(number, [made.initiator_name])
    sdk.delete_initiators([made.initiator_id])
    renamed = sdk.modify_volume_access_group(number, name="renamed").volume_access_group
    assert renamed.name == "renamed"
    sdk.delete_volume_access_group(number)
    assert sdk.list_volume_access_groups().volume_access_groups == []


def test_snapshots_and_rolling_back(sdk: Any, volume: Any, login: Login) -> None:
    with login(volume) as session:
        session.write(0, 0, BLOCK)
        made = sdk.create_snapshot(volume.volume_id, name="before", retention="01:00:00", attributes={"k": "v"})
        session.write(0, 0, bytes(4096))
        (listed,) = sdk.list_snapshots(volume.volume_id).snapshots
        assert (listed.snapshot_id, listed.name, listed.status) == (made.snapshot_id, "before", "done")
        assert (listed.total_size, listed.attributes, listed.group_id) == (volume.total_size, {"k": "v"}, 0)
        saved = sdk.rollback_to_snapshot(volume.volume_id, made.snapshot_id, save_current_state=True, name="saved")
        assert session.read(0, 0, 4096) == BLOCK
        sdk.rollback_to_snapshot(volume.volume_id, saved.snapshot_id, save_current_state=False)
        assert session.read(0, 0, 4096) == bytes(4096)
    changed = sdk.modify_snapshot(made.snapshot_id, expiration_time="2999-01-01T00:00:00Z").snapshot
    assert changed.expiration_time == "2999-01-01T00:00:00Z"
    for each in sdk.list_snapshots().snapshots:
        sdk.delete_snapshot(each.snapshot_id)
    assert refusal(sdk.delete_snapshot, made.snapshot_id) == ("xSnapshotIDDoesNotExist", 500)


def test_group_snapshots(sdk: Any, account: Any, volume: Any) -> None:
    second = sdk.create_volume("second", account.account_id, GB, enable512e=True).volume_id
    made = sdk.create_group_snapshot([volume.volume_id, second], name="both")
    assert [each.volume_id for each in made.members] == [volume.volume_id, second]
    (listed,) = sdk.list_group_snapshots(volumes=[second]).group_snapshots
    assert (listed.name, len(listed.members)) == ("both", 2)
    assert {each.group_snapshot_uuid for each in listed.members} == {listed.group_snapshot_uuid}
    saved = sdk.rollback_to_group_snapshot(made.group_snapshot_id, save_current_state=True, name="saved")
    assert saved.group_snapshot.name == "saved"
    number = made.group_snapshot_id
    changed = sdk.modify_group_snapshot(number, expiration_time="2999-01-01T00:00:00Z").group_snapshot
    assert changed.members[0].expiration_time == "2999-01-01T00:00:00Z"
    sdk.delete_group_snapshot(number, save_members=True)
    sdk.delete_group_snapshot(saved.group_snapshot_id, save_members=False)
    assert [each.name for each in sdk.list_snapshots().snapshots] == ["both", "both"]


def test_clones(sdk: Any, volume: Any, login: Login) -> None:
    with login(volume) as session:
        session.write(0, 0, BLOCK)
    snapshot = sdk.create_snapshot(volume.volume_id)
    made = sdk.clone_volume(volume.volume_id, "clone", snapshot_id=snapshot.snapshot_id, new_size=2 * GB)
    assert made.volume.status == "init"
    assert clone_result(sdk, made.async_handle, keep=True)["result"]["volumeID"] == made.volume_id
    (job,) = sdk.list_async_results().async_handles
    assert (job.completed, job.success, job.result_type) == (True, True, "Clone")
    assert clone_result(sdk, made.async_handle)["status"] == "complete"
    assert refusal(sdk.get_async_result, made.async_handle) == ("xAsyncHandleDoesNotExist", 500)
    sdk.add_volumes_to_volume_access_group(1, [made.volume_id])
    with login(made.volume) as session:
        assert session.read(0, 0, 4096) == BLOCK
        assert session.read_capacity(0)[0] == made.volume.total_size > volume.total_size
    copy = sdk.copy_volume(volume.volume_id, sdk.create_volume("dst", 1, GB, enable512e=True).volume_id)
    sdk.cancel_clone(copy.clone_id)
    assert refusal(sdk.get_async_result, copy.async_handle)[0] == "xAsyncHandleDoesNotExist"


def test_several_clones_at_once(sdk: Any, volume: Any) -> None:
    from solidfire.models import CloneMultipleVolumeParams

    wishes = [CloneMultipleVolumeParams(volume_id=volume.volume_id, name="clone")]
    made = sdk.clone_multiple_volumes(wishes)
    assert [each.src_volume_id for each in made.members] == [volume.volume_id]
    assert clone_result(sdk, made.async_handle)["result"]["groupCloneID"] == made.group_clone_id


def test_qos_policies(sdk: Any, account: Any, volume: Any) -> None:
    from solidfire.models import QoS

    policy = sdk.create_qos_policy("gold", QoS(min_iops=100, max_iops=1000, burst_iops=2000)).qos_policy
    sdk.modify_volume(volume.volume_id, associate_with_qos_policy=True, qos_policy_id=policy.qos_policy_id)
    changed = sdk.modify_qos_policy(policy.qos_policy_id, qos=QoS(min_iops=200)).qos_policy
    assert (changed.volume_ids, changed.qos.min_iops, changed.qos.max_iops) == ([volume.volume_id], 200, 1000)
    seen = sdk.list_volumes(volume_ids=[volume.volume_id]).volumes[0]
    assert (seen.qos.min_iops, seen.qos_policy_id) == (200, policy.qos_policy_id)
    assert [each.name for each in sdk.list_qos_policies().qos_policies] == ["gold"]
    sdk.delete_qos_policy(policy.qos_policy_id)
    assert refusal(sdk.get_qos_policy, policy.qos_policy_id) == ("xQoSPolicyDoesNotExist", 500)
    assert sdk.set_default_qos(min_iops=60).min_iops == 60
    assert sdk.get_default_qos().min_iops == 60


def test_sessions_and_statistics(sdk: Any, account: Any, volume: Any, login: Login) -> None:
    sdk.remove_volumes_from_volume_access_group(1, [volume.volume_id])
    with pytest.raises(LoginRefused):
        login(volume)
    secret = account.initiator_secret.secret.encode()
    with login(volume, ChapAccount("tenant", secret)) as session:
        session.write(0, 0, BLOCK)
        session.read(0, 0, 512)
        (seen,) = sdk.list_iscsisessions().sessions
        assert (seen.initiator_name, seen.target_name, seen.volume_id) == (HOST, volume.iqn, volume.volume_id)
        assert (seen.authentication.auth_method, seen.authentication.chap_username) == ("CHAP", "tenant")
        assert seen.account_name == "tenant"
        assert seen.create_time
        assert seen.ms_since_last_scsi_command >= 0
        assert session.wwid(0) == volume.scsi_naadevice_id
    assert sdk.list_iscsisessions().sessions == []
    stats = sdk.get_volume_stats(volume.volume_id).volume_stats
    assert (stats.write_bytes, stats.read_ops) == (4096, 1)
    for listed in (
        sdk.list_volume_stats(),
        sdk.list_volume_stats_by_volume(),
        sdk.list_volume_stats_by_account(),
        sdk.list_volume_stats_by_volume(include_virtual_volumes=False),
    ):
        assert [each.write_ops for each in listed.volume_stats] == [1]
    groups = sdk.list_volume_stats_by_volume_access_group().volume_stats
    assert [each.volume_access_groups for each in groups] == [[1]]


def test_events(sdk: Any, volume: Any) -> None:
    events = sdk.list_events(max_events=2).events
    assert ["AddAccount" in each.message for each in events] == [True, False]


def test_errors_keep_their_names(sdk: Any, account: Any, volume: Any) -> None:
    number = volume.volume_id
    assert refusal(sdk.add_account, "tenant") == ("xDuplicateUsername", 500)
    assert refusal(sdk.get_account_by_name, "nobody") == ("xUnknownAccount", 500)
    assert refusal(sdk.remove_account, account.account_id)[1] == 500
    assert refusal(sdk.delete_volume, 99) == ("xVolumeIDDoesNotExist", 500)
    assert refusal(sdk.modify_volume, number, total_size=GB // 2) == ("xVolumeShrinkProhibited", 500)
    assert refusal(sdk.delete_volumes) == ("xInvalidParameter", 500)
    assert refusal(sdk.create_volume_access_group, "g", initiators=[HOST]) == ("xExceededLimit", 500)
    assert refusal(sdk.add_volumes_to_volume_access_group, 1, [number]) == ("xAlreadyInVolumeAccessGroup", 500)
    assert refusal(sdk.delete_volume_access_group, 9) == ("xVolumeAccessGroupIDDoesNotExist", 500)
    assert refusal(sdk.start_cluster_pairing) == ("xUnknownAPIMethod", 500)
    assert refusal(sdk.create_snapshot, number, enable_remote_replication=True) == ("xVolumeNotPaired", 500)
    sdk.remove_volume_pair(number)
    for _ in range(sdk.get_limits().snapshots_per_volume_max):
        sdk.create_snapshot(number)
    assert refusal(sdk.create_snapshot, number) == ("xMaxSnapshotsPerVolumeExceeded", 500)


def test_a_wrong_password_and_a_version_to_come_are_told_apart(array: ArrayWorld) -> None:
    from solidfire.common import ApiConnectionError, SdkOperationError
    from solidfire.factory import ElementFactory

    where = urlsplit(array.endpoints[0].url)
    password = array.parameters["password"]
    assert isinstance(password, Secret)
    with pytest.raises(ApiConnectionError, match="Bad Credentials"):
        ElementFactory.create(where.hostname, "admin", "wrong", port=where.port, print_ascii_art=False)
    with pytest.raises(SdkOperationError):
        ElementFactory.create(
            where.hostname, "admin", password.reveal(), version="99.0", port=where.port, print_ascii_art=False
        )


def test_certificates_can_be_verified(array: ArrayWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from solidfire.factory import ElementFactory

    endpoint, password = array.endpoints[0], array.parameters["password"]
    assert endpoint.ca_file is not None
    assert isinstance(password, Secret)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", endpoint.ca_file)
    port = urlsplit(endpoint.url).port
    sdk = ElementFactory.create(
        "localhost", "admin", password.reveal(), port=port, verify_ssl=True, print_ascii_art=False
    )
    assert float(sdk.get_api().current_version) == sdk.api_version
