"""Counterexamples as files: what they hold, what becomes of them in another version of the kit, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from conformance.abstract import to_json
from conformance.argument_types import decoded, taken_by
from conformance.asked import Asked
from conformance.catalogue import catalogue
from conformance.contract import Hookup
from conformance.counterexample import Counterexample, InjectedFault, example_of, read
from conformance.counterexample_source import load
from conformance.errors import WiringError
from conformance.machines.tours import tours
from conformance.report import as_counterexample, as_json, folder
from conformance.session import Result
from conformance.strategies.faults import Cut
from conformance.strategies.sizes import Granules, Growth
from conformance.verdict import Finding, Outcome, Verdict, Violation

REQUIREMENTS = catalogue()
ASKED = Asked("acme:PROVIDER", Path("lab.toml"), "smoke", 7, {"pool": "gold", "token": "env:ACME_TOKEN"})


def outcome(identifier: str = "EXT-001", **arguments: object) -> Outcome:
    abstract = {name: to_json(value) for name, value in arguments.items()}
    finding = Finding(
        identifier,
        Violation("a LUN of at least 2 bytes", 'one of 1 byte: """ \\ \x00 \ud800 \u2028', "the array"),
        abstract,
        ("1. plugin.create(1) -> Created(a -> b)", "2. plugin.resize(2) -> raised Conflict: it is -> busy\nvery"),
        (),
        ("resize supported",),
        found_by=identifier,
    )
    return Outcome(REQUIREMENTS[identifier], Verdict.FAILED, finding=finding, inputs_digest="d1")


GROWN = outcome(start=Granules(1), growth=Growth(2, 512))


def result(*outcomes: Outcome) -> Result:
    found = {each.requirement.id: each for each in outcomes}
    return Result(
        "acme",
        "1.2",
        "0.1",
        Hookup.FRAMEWORK,
        "smoke",
        7,
        is_certifying=False,
        outcomes=found,
        ranked=[name for name, each in found.items() if each.verdict is Verdict.FAILED],
        seconds=1.5,
        transport="sockets",
    )


def written(one: Outcome = GROWN) -> dict[str, Any]:
    content = json.loads(as_counterexample.files(result(one), ASKED)[f"counterexamples/{one.requirement.id}.json"])
    assert isinstance(content, dict)
    return content


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_file_says_what_failed_where_and_with_what() -> None:
    told = read(written(), "x.json")
    assert told.requirement.id == "EXT-001"
    assert told.requirement.sentence == REQUIREMENTS["EXT-001"].sentence
    assert (told.subject.reference, told.subject.name, told.subject.version) == ("acme:PROVIDER", "acme", "1.2")
    assert (told.environment, told.transport, told.inputs_digest, told.seed) == ("lab.toml", "sockets", "d1", 7)
    assert told.parameters == {"pool": "gold", "token": "env:ACME_TOKEN"}
    assert told.arguments == {
        "start": {"Granules": {"count": 1, "odd_bytes": 0}},
        "growth": {"Growth": {"count": 2, "odd_bytes": 512}},
    }


def test_the_injected_fault_is_told_by_itself() -> None:
    told = read(written(outcome("FLT-001", cut=Cut(3, is_reply=True))), "x.json")
    assert told.injected == [InjectedFault(argument="cut", nth=3, loses="reply")]


def test_only_what_failed_leaves_files() -> None:
    passed = Outcome(REQUIREMENTS["PRV-001"], Verdict.PASSED)
    blocked = GROWN.became(Verdict.BLOCKED)
    assert as_counterexample.files(result(passed, blocked), ASKED) == {}


def test_counterexamples_of_an_earlier_run_go_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("EXT-001.json", "EXT-001.py", "PRV-001.json", "notes.txt"):
        (tmp_path / name).touch()
    folder.remove_older(tmp_path, ["counterexamples/PRV-001.json"])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["PRV-001.json", "notes.txt"]


def test_the_folder_of_counterexamples_goes_with_the_last(tmp_path: Path) -> None:
    (tmp_path / "counterexamples").mkdir()
    (tmp_path / "counterexamples" / "EXT-001.py").touch()
    folder.remove_older(tmp_path / "counterexamples", [])
    assert list(tmp_path.iterdir()) == []


# --- arguments survive -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", [each.id for each in REQUIREMENTS.values() if each.strategies])
@hypothesis.settings(max_examples=15, database=None, deadline=None)
@hypothesis.given(data=st.data())
def test_whatever_a_property_is_asked_with_survives_a_file(identifier: str, data: st.DataObject) -> None:
    one = REQUIREMENTS[identifier]
    drawn = data.draw(st.fixed_dictionaries(dict(one.strategies)))
    for arguments in (drawn, *one.pinned):
        abstract = json.loads(json.dumps({name: to_json(value) for name, value in arguments.items()}))
        assert decoded(one, abstract) == arguments


def test_every_property_says_the_types_of_its_arguments() -> None:
    assert {each.id for each in REQUIREMENTS.values() if set(taken_by(each)) != set(each.strategies)} == set()


# --- another version -------------------------------------------------------------------------------------------------


def changed(**changes: object) -> dict[str, Any]:
    return {**written(), **changes}


def test_what_a_later_version_adds_is_passed_over() -> None:
    content = changed(kit_version="9.9", weather="fine")
    content["requirement"]["colour"] = "red"
    example = example_of(read(content, "x.json"), REQUIREMENTS)
    assert example.arguments == {"start": Granules(1), "growth": Growth(2, 512)}


def granules(**fields: object) -> dict[str, object]:
    return {"growth": written()["arguments"]["growth"], "start": {"Granules": fields}}


REFUSED: list[tuple[object, str]] = [
    ([], "x.json is no counterexample: expected an object of format"),
    ({"id": "EXT-001"}, "x.json is no counterexample"),
    (changed(schema_version=2, kit_version="7.1"), "and this kit reads up to 1; replay it with kit 7.1"),
    (changed(schema_version="1"), "x.json is not whole: schema_version: input should be a valid integer"),
    (changed(schema_version=0), "x.json is not whole: schema_version: input should be greater than"),
    ({key: value for key, value in written().items() if key != "arguments"}, "arguments: field required"),
    (changed(found_by="EXT-100"), "no requirement EXT-100 in this version of the kit (did you mean EXT-010?)"),
    (changed(found_by="???"), "no requirement ??? in this version of the kit; replay it with kit"),
    (changed(arguments={"start": 1}), "takes growth, start in this version of the kit, the counterexample has start"),
    (changed(arguments=granules(size=1)), "argument start of EXT-001: Granules takes count, odd_bytes; found size"),
    (changed(arguments=granules(count="3")), "argument start of EXT-001: expected Size, found Granules(count='3'"),
    (changed(arguments=granules(count=True)), "argument start of EXT-001: expected Size, found Granules(count=True"),
    (changed(arguments=granules(count=[1])), "argument start of EXT-001: expected Size"),
    (changed(arguments={**granules(count=1), "start": {"Gallons": {}}}), "of EXT-001: unknown kind Gallons"),
    (changed(arguments={**granules(count=1), "start": {"a": 1, "b": 2}}), "of EXT-001: expected one kind"),
    (changed(arguments={**granules(count=1), "start": {"Cut": {"nth": 1, "is_reply": True}}}), "found Cut"),
    (changed(arguments={**granules(count=1), "growth": 5}), "argument growth of EXT-001: expected Growth, found 5"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "told"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_run_here_is_refused_with_the_reason(content: object, told: str) -> None:
    with pytest.raises(WiringError) as caught:
        example_of(read(content, "x.json"), REQUIREMENTS)
    assert told in str(caught.value)


@pytest.mark.parametrize("spoil", [lambda steps: [*steps, 7], lambda steps: {"0": steps}, lambda steps: "create"])
def test_a_program_is_a_list_of_steps(spoil: Callable[[object], object]) -> None:
    content = written(outcome("OPS-010", program=list(tours()[0])))
    assert example_of(read(content, "x.json"), REQUIREMENTS).arguments == {"program": list(tours()[0])}
    content["arguments"]["program"] = spoil(content["arguments"]["program"])
    with pytest.raises(WiringError, match="argument program of OPS-010"):
        example_of(read(content, "x.json"), REQUIREMENTS)


# --- where they are read from ----------------------------------------------------------------------------------------

OTHER = outcome("EXT-003", growth=Growth(1))


def reported(place: Path, *outcomes: Outcome) -> Path:
    """A report folder as a run leaves it."""
    whole = result(*outcomes)
    record = as_json.text(whole, ASKED.replay, "2024-05-01T12:00:00+00:00")
    folder.write(place, {"report.json": record, **as_counterexample.files(whole, ASKED)})
    return place


def test_a_folder_and_its_record_lead_to_the_same_file(tmp_path: Path) -> None:
    place = reported(tmp_path, GROWN, OTHER)
    direct = load(place / "counterexamples" / "EXT-003.json")
    assert isinstance(direct, Counterexample)
    assert load(place, "EXT-003") == load(place / "report.json", "EXT-003") == direct


def test_the_only_one_need_not_be_named(tmp_path: Path) -> None:
    assert load(reported(tmp_path, OTHER)).requirement.id == "EXT-003"


def test_a_record_alone_is_enough_but_for_the_plugin(tmp_path: Path) -> None:
    place = reported(tmp_path, GROWN, OTHER)
    for each in (place / "counterexamples").iterdir():
        each.unlink()
    for told in (load(place, "EXT-003"), load(place / "report.json", "EXT-003")):
        assert example_of(told, REQUIREMENTS).arguments == {"growth": Growth(1)}
        assert told.subject.reference == ""


@pytest.mark.parametrize(
    ("name", "identifier", "told"),
    [
        ("", "EXT-030", "has no counterexample of EXT-030 (did you mean EXT-003?); it has EXT-001, EXT-003; nothing"),
        ("", "", "has several counterexamples: name one of EXT-001, EXT-003 after it; nothing was started"),
        ("report.json", "", "has several counterexamples"),
        ("counterexamples/EXT-003.json", "EXT-001", "is a counterexample of EXT-003, not of EXT-001; nothing"),
        ("counterexamples/EXT-003.py", "", "is no JSON"),
        ("nowhere.json", "", "cannot read counterexample"),
        ("empty", "", "is no folder of a report: no report.json and no counterexamples in it; nothing was started"),
        ("list.json", "", "is no counterexample: expected an object of format"),
        ("odd.json", "EXT-001", "is no report of a run"),
        ("binary.json", "", "is no JSON"),
        ("deep.json", "", "is no JSON"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, name: str, identifier: str, told: str) -> None:
    place = reported(tmp_path, GROWN, OTHER)
    (place / "empty").mkdir()
    (place / "list.json").write_text("[]", encoding="utf-8")
    (place / "odd.json").write_text('{"requirements": [3]}', encoding="utf-8")
    (place / "binary.json").write_bytes(b"\xff\xfe")
    (place / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(WiringError) as caught:
        load(place / name, identifier)
    assert told in str(caught.value)
    assert str(caught.value).endswith("nothing was started")
    assert "\n" not in str(caught.value)


# --- the script ------------------------------------------------------------------------------------------------------


def script(one: Outcome = GROWN) -> str:
    return as_counterexample.files(result(one), ASKED)[f"counterexamples/{one.requirement.id}.py"]


def test_a_script_holds_the_whole_file_whatever_a_plugin_said() -> None:
    source = script().encode("utf-8", "strict").decode()
    names: dict[str, Any] = {"__name__": "read"}
    exec(compile(source, "EXT-001.py", "exec"), names)  # noqa: S102  (written a line ago)
    assert names["COUNTEREXAMPLE"] == written()


def test_a_script_begins_with_the_story() -> None:
    comments = [line for line in script().splitlines() if line.startswith("#")]
    assert "#   1. A volume is created." in comments
    assert "#      plugin.create(1)" in comments
    assert "#      it answers Created(a -> b)" in comments
    assert "#      it raises Conflict: it is -> busy\\nvery" in comments
    assert "# Expected: a LUN of at least 2 bytes" in comments
    assert "#     python EXT-001.py --provider acme:PROVIDER" in comments


def test_the_story_tells_of_the_fault_and_of_chance() -> None:
    one = outcome("FLT-001", cut=Cut(3, is_reply=True))
    assert one.finding is not None
    told = script(one.became(Verdict.FAILED, finding=replace(one.finding, intermittent=True)))
    assert "the reply of its request number 4 is lost" in told
    assert "# It did not fail each time: try --times 10." in told
