"""The catalogue as a whole."""

from __future__ import annotations

import ast
import inspect
import textwrap

import pytest

from conformance import homes
from conformance.catalogue import catalogue, depth
from conformance.requirement import Requirement, given, requirement

ALL = list(catalogue().values())


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_a_property_is_in_its_areas_file_and_named_after_its_id(one: Requirement) -> None:
    assert one.body.__module__ == f"conformance.properties.test_{one.area.lower()}"
    assert one.body.__name__.startswith(f"test_{one.id.lower().replace('-', '_')}_")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_a_property_has_no_branches_and_no_asserts(one: Requirement) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(one.body)))
    banned = (ast.If, ast.Try, ast.Assert, ast.While)
    found = [type(each).__name__ for each in ast.walk(tree) if isinstance(each, banned)]
    assert found == []


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_what_a_requirement_rests_on_is_there(one: Requirement) -> None:
    assert set(one.rests_on) <= set(catalogue())
    assert depth(one.id, catalogue()) >= 0


def test_every_home_is_a_requirement() -> None:
    named = {*homes.STEP.values(), homes.LATE, homes.STRAY_ERROR, homes.WRONG_TYPE, homes.THREADS, homes.LEAK}
    assert named | {homes.SECRETS, "ISO-001"} <= set(catalogue())


def test_the_areas_of_the_first_version_are_there() -> None:
    areas = {each.area for each in ALL}
    wanted = "REG, CPB, PRV, DEL, EXT, QOS, ACC, CHP, DST, DED, HST, LIF, OPS, LEK, SEC"
    assert areas >= set(wanted.split(", "))


def test_a_docstring_needs_one_strength() -> None:
    def body(subject: object) -> None:
        """It MUST and SHOULD work."""

    with pytest.raises(ValueError, match="expected one of MUST, SHOULD, MAY"):
        requirement("AAA-001")(given()(body))


def test_an_id_has_a_form() -> None:
    with pytest.raises(ValueError, match="no requirement id"):
        requirement("A-1")
