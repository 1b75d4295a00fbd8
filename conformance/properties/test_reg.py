"""REG: what a plugin must be before it is called."""

from __future__ import annotations

from conformance.expect import PLUGIN, expect, expect_equal, expect_none
from conformance.requirement import Need, requirement
from conformance.subject import RunningSubject


@requirement("REG-001")
def test_reg_001_every_member_is_as_the_contract_says(subject: RunningSubject) -> None:
    """A plugin MUST have every member of the contract it declares, with the contract's names, kinds and parameters."""
    found = "; ".join(str(each) for each in subject.mismatches)
    expect(not subject.mismatches, "members as in the contract", found, PLUGIN)


@requirement("REG-002", needs=[Need.ENDPOINT], rests_on=["REG-001"])
def test_reg_002_configure_does_no_io(subject: RunningSubject) -> None:
    """`configure` MUST succeed without calling the array."""
    with subject.world() as world:
        expect_equal("requests sent before the first call", world.instance.exchanges, 0, PLUGIN)


@requirement("REG-003", rests_on=["REG-001"])
def test_reg_003_every_instance_declares_the_same(subject: RunningSubject) -> None:
    """Two instances from one factory MUST declare the same name, capabilities, traits, limits and parameters."""
    first, second = subject.declared, subject.new_provider()
    for what in (
        "name",
        "version",
        "contract_version",
        "traits",
        "limits",
        "access_models",
        "hookup",
        "parameters",
    ):
        expect_equal(what, getattr(second, what), getattr(first, what), PLUGIN)
    expect_equal("capabilities", dict(second.capabilities), dict(first.capabilities), PLUGIN)


@requirement("REG-004", rests_on=["REG-001"])
def test_reg_004_no_trait_is_above_its_ceiling(subject: RunningSubject) -> None:
    """The times that a plugin declares MUST stay below the ceilings of the profile."""
    standard = subject.profile.standard
    expect_none(
        f"trait above its ceiling in {standard.name}", [*standard.ceilings.above(subject.declared.traits)], PLUGIN
    )
