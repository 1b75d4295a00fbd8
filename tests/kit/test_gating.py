"""Gating: a rightful limit of the plugin, or something this environment cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from conformance.contract import AccessModel, Capability, Supported, Unsupported, WitnessPower
from conformance.gating import Ground, gate
from conformance.requirement import Need, Needed, requirement
from conformance.verdict import Verdict

GROUND = Ground(
    capabilities={Capability.RESIZE: Supported(), Capability.QOS: Unsupported("no QoS here")},
    access_model=AccessModel.DEDICATED,
    access_models=frozenset({AccessModel.DEDICATED, AccessModel.DIRECT}),
    powers=frozenset({WitnessPower.LUNS}),
    offered=frozenset({Need.PROBE}),
    missing={Need.HYPERVISOR: "libvirt-python is not installed", Need.HOST_LISTENER: "the plugin has no host listener"},
)


def gated(needs: Sequence[Needed] = (), lacks: Sequence[Capability] = (), not_testable: str | None = None) -> object:
    def body(subject: object) -> None:
        """It MUST work."""

    requirement("AAA-001", needs=needs, lacks=lacks, not_testable=not_testable)(body)
    return gate(body.requirement, GROUND)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("needs", "verdict", "reason"),
    [
        ([Capability.QOS], Verdict.NOT_APPLICABLE, "qos: no QoS here"),
        ([Capability.SNAPSHOT], Verdict.NOT_APPLICABLE, "snapshot: not declared"),
        ([WitnessPower.QOS], Verdict.NOT_VERIFIED, "no witness of this array shows its qos"),
        ([Need.HYPERVISOR], Verdict.NOT_VERIFIED, "libvirt-python is not installed"),
        ([Need.HOST_LISTENER], Verdict.NOT_APPLICABLE, "the plugin has no host listener"),
        ([AccessModel.SHARED], Verdict.NOT_APPLICABLE, "the plugin does not serve access model shared"),
        ([AccessModel.DIRECT], Verdict.NOT_VERIFIED, "this run uses access model dedicated, not direct"),
        ([Need.HYPERVISOR, Capability.QOS], Verdict.NOT_APPLICABLE, "qos: no QoS here"),
    ],
)
def test_what_is_missing_is_said(needs: Sequence[Needed], verdict: Verdict, reason: str) -> None:
    assert gated(needs) == (verdict, reason)


def test_what_is_there_passes() -> None:
    assert gated([Capability.RESIZE, WitnessPower.LUNS, Need.PROBE, AccessModel.DEDICATED]) is None


def test_what_must_be_lacking() -> None:
    assert gated(lacks=[Capability.RESIZE]) == (Verdict.NOT_APPLICABLE, "resize is supported")
    assert gated(lacks=[Capability.QOS]) is None


def test_what_cannot_be_tested_says_why() -> None:
    assert gated(not_testable="needs a time machine") == (Verdict.NOT_VERIFIED, "needs a time machine")


def test_without_an_access_model_nothing_of_it_applies() -> None:
    def body(subject: object) -> None:
        """It MUST work."""

    requirement("AAA-001", needs=[AccessModel.DEDICATED])(body)
    bare = replace(GROUND, access_model=None, access_models=frozenset({AccessModel.SHARED}))
    assert gate(body.requirement, bare) is not None  # type: ignore[attr-defined]
