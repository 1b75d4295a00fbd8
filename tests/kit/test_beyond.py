"""What a plugin's declared limits leave no room for is not applicable, and nobody's fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.catalogue import catalogue
from conformance.contract import Limits, QosPolicy
from conformance.errors import BeyondDeclared
from conformance.run import run_requirement
from conformance.strategies.names import NameOfLength, PlainName, fitted
from conformance.strategies.sizes import Granules, Growth, within
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from tests.kit.chain import running

REQUIREMENTS = catalogue()
LIMITS = Limits(smallest_lun_bytes=10, largest_lun_bytes=40, granularity_bytes=10, name_length=16)


def outcome(only_small: bool) -> Outcome:
    """A property of sizes that has room for small ones, or for none."""

    def body(subject: RunningSubject, growth: Growth) -> None:
        if not only_small or growth.count > 8:
            raise BeyondDeclared("no LUN of so many bytes")

    with running(None) as subject:
        return run_requirement(replace(REQUIREMENTS["EXT-003"], body=body), subject, seed=3)


def test_a_property_without_room_is_not_applicable() -> None:
    found = outcome(only_small=False)
    assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "no LUN of so many bytes")


def test_a_property_with_room_for_some_of_its_examples_passes() -> None:
    found = outcome(only_small=True)
    assert (found.verdict, found.reason) == (Verdict.PASSED, "")
    assert found.examples > 1


def test_growth_ends_at_the_largest_lun() -> None:
    assert Growth(1).beyond(10, LIMITS) == 20
    assert Growth(64, 5).beyond(10, LIMITS) == 40
    with pytest.raises(BeyondDeclared, match="no LUN of 50 bytes"):
        Growth(1).beyond(40, LIMITS)
    assert within(40, LIMITS) == Granules(3).resolve(LIMITS) == 40


def test_names_are_as_long_as_they_may_be_and_keep_both_ends() -> None:
    plain = PlainName().resolve("sc-1f-2-volume111", LIMITS)
    assert fitted(plain, LIMITS) == "sc-1-2-volume111"
    long = NameOfLength(200).resolve(plain, LIMITS)
    assert fitted(long, LIMITS).endswith("-volume111")
    assert len(fitted(long, LIMITS)) == 16
    assert fitted(plain, replace(LIMITS, name_length=17)) == plain


def test_qos_of_a_range_of_one_has_no_other() -> None:
    from types import SimpleNamespace

    from conformance.judgements import another_qos

    one = QosPolicy(100, 200, 300)
    limits = replace(LIMITS, qos_smallest=one, qos_largest=replace(one, burst_iops=301))
    world = SimpleNamespace(subject=SimpleNamespace(declared=SimpleNamespace(limits=limits)))
    assert another_qos(world, one) == replace(one, burst_iops=301)  # type: ignore[arg-type]
    limits = replace(limits, qos_largest=one)
    world.subject.declared.limits = limits
    with pytest.raises(BeyondDeclared):
        another_qos(world, one)  # type: ignore[arg-type]
