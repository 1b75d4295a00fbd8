"""The page: what it shows, that nothing in it is fetched or runs, and that nobody's text gets out of its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from conformance.chronicle import Story, Timing
from conformance.messages import Message
from conformance.report import as_html, as_json, reading
from conformance.report.plain import plain
from conformance.session import Result
from conformance.surroundings import ClusterAround, Surroundings
from conformance.verdict import Outcome, Verdict, Violation
from tests.kit.snapshot import expect_snapshot
from tests.kit.test_report import GROW, REPLAY, TOO_SMALL, interrupted, result

HOSTILE = (
    "</pre></svg><script src=//evil.example/x.js>1</script><img src=x onerror=y>\"'&{{7*7}}{% raw %}\u202e\x00\x1b[2J"
)
VOID = {"meta", "br", "img", "link", "input", "hr"}
CREATE = (
    Message("user", "cloud", "create_volume", "vol", 0, 0.0, 9.0),
    Message("cloud", "plugin", "create", "vol", 1, 0.5, 3.0),
    Message("plugin", "array", "CreateVolume", "", 2, 1.0, 1.0),
    Message("cloud", "plugin", "grant_access", "vol", 1, 4.0, 1.0, host="h1"),
    Message("cloud", "plugin", "grant_access", "vol", 1, 5.0, 2.0, host="h2"),
    Message("cloud", "bridge", "create_datastore", "2 hosts", 1, 7.0, 2.0),
    Message("bridge", "hypervisor", "define", "", 2, 7.5, 1.0, host="h1"),
    Message("bridge", "hypervisor", "define", "", 2, 8.0, 1.0, host="h2"),
)
LOST = (
    Message("cloud", "plugin", "resize", "vol, 2 GiB", 0, 0.0, 4.0, "Busy: later"),
    Message("plugin", "array", "PUT /volumes", "", 1, 1.0, None, "no answer", "the reply was lost"),
)
AROUND = Surroundings(
    transport="sockets",
    array="simulated",
    endpoints=1,
    probe=True,
    probe_missing="",
    clusters=(ClusterAround("kvm-a", "kvm", "simulated", ("h1", "h2")),),
    hookup="framework",
    access_model="dedicated",
)


def whole() -> Result:
    """A result with everything a page can show."""
    outcomes = dict(result().outcomes)
    outcomes["EXT-001"] = outcomes["EXT-001"].became(Verdict.FAILED, finding=replace(TOO_SMALL, messages=LOST))
    return result(
        outcomes=outcomes,
        declared={"hookup": "framework", "access model": "dedicated"},
        surroundings=AROUND,
        stories=[Story("create_volume", by_user=True, count=3, messages=CREATE)],
        timings=[Timing("cloud", "create_volume", 3, 9.0, 1234.5, 1), Timing("plugin", "create", 0, 0.0, 0.0, 2)],
    )


def page(of: Result) -> str:
    return as_html.render(reading.parsed(as_json.text(of, REPLAY, "2024-05-01T12:00:00+00:00"), "report.json"))


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_json, "kit_version", lambda: "9.9")


class Structure(HTMLParser):
    """Fails on a tag that closes nothing, and keeps what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def hostile() -> Result:
    """A result in which every text of the plugin, its array and its names is an attack."""
    violation = Violation(HOSTILE, HOSTILE, HOSTILE, move=HOSTILE)
    attack = Message("cloud", "plugin", HOSTILE, HOSTILE, 0, 0.0, 1.0, HOSTILE, HOSTILE, HOSTILE)
    finding = replace(
        TOO_SMALL,
        violation=violation,
        arguments={HOSTILE: HOSTILE},
        steps=(HOSTILE,),
        wire=(HOSTILE, f"during x: POST {HOSTILE} -> 200 {HOSTILE} [injected: {HOSTILE}]"),
        declared=(HOSTILE,),
        messages=(attack, replace(attack, caller=HOSTILE, callee=HOSTILE)),
    )
    return replace(
        whole(),
        provider=HOSTILE,
        version=HOSTILE,
        declared={HOSTILE: HOSTILE},
        outcomes={
            "EXT-001": Outcome(GROW, Verdict.FAILED, finding=finding),
            "EXT-002": Outcome(GROW, Verdict.NOT_APPLICABLE, HOSTILE),
        },
        ranked=["EXT-001"],
        surroundings=replace(AROUND, clusters=(ClusterAround(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE),)),
        stories=[Story(HOSTILE, by_user=False, count=1, messages=[attack])],
        timings=[Timing("plugin", HOSTILE, 1, 1.0, 1.0)],
    )


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_the_page_of_a_fixed_record_is_as_it_was_found_good() -> None:
    body = page(whole()).split("</style>", 1)[1]
    expect_snapshot("report.html", body)


def test_a_failure_has_its_seven_parts_in_order() -> None:
    article = page(whole()).split('<article class="failure" id="EXT-001">')[1].split("</article>")[0]
    parts = re.findall(r"<dt>(\w+)</dt>", article)
    assert parts == ["Expected", "Observed", "Calls", "Wire", "Declared", "Move", "Replay"]
    assert "EXT-001 MUST" in article.split("<dt>")[0]
    assert "injected: lost reply" in article


def test_many_calls_are_told_from_the_last() -> None:
    steps = tuple(f"step {number}" for number in range(1, 31))
    long = whole().outcomes["EXT-001"].became(Verdict.FAILED, finding=replace(TOO_SMALL, steps=steps))
    text = page(replace(whole(), outcomes={"EXT-001": long}, ranked=["EXT-001"]))
    assert "22 calls before" in text
    assert "step 1</li>" in text
    assert '<li class="last">step 30</li>' in text


def test_a_run_that_was_interrupted_before_anything_ran_has_a_page() -> None:
    text = page(result(was_interrupted=True, outcomes={}, ranked=[], chosen=3))
    assert "Interrupted: 0 of 3 chosen requirements were not tried, and count as not passed." in text
    Structure(text)


def test_an_interrupted_run_says_so_before_its_score() -> None:
    text = page(interrupted())
    assert "<title>Interrupted: 1 of 6 requirements passed" in text
    told = "Interrupted: 1 of 8 chosen requirements were not tried, and count as not passed."
    assert text.index(told) < text.index('<p class="score">')
    assert "<b>1</b> not tried" in text
    assert "Interrupted" not in page(result())
    Structure(text)


def test_a_record_of_an_interrupted_run_that_did_not_count_has_a_page() -> None:
    record = json.loads(as_json.text(interrupted(), REPLAY, "2024-05-01T12:00:00+00:00"))
    del record["not_tried"], record["chosen"]
    text = as_html.render(reading.parsed(json.dumps(record), "report.json"))
    assert "Interrupted: this is about what ran until then." in text


def test_a_record_of_the_first_version_has_a_page() -> None:
    record = json.loads(as_json.text(result(), REPLAY, "2024-05-01T12:00:00+00:00"))
    for name in ("environment", "operations", "timings"):
        del record[name]
    for each in record["requirements"]:
        del each["place"]
        del each["area_title"]
    record["schema_version"] = 1
    text = as_html.render(reading.parsed(json.dumps(record), "report.json"))
    assert "1 of 5" in text
    assert "Who called what when" not in text


def test_each_verdict_stands_in_the_column_of_its_place() -> None:
    text = page(whole())
    assert '<th class="place">array alone · dedicated</th>' in text
    assert '<td class="place verdict" data-place="array alone · dedicated">passed</td>' in text


# --- what it does not do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [whole(), hostile(), result()], ids=["whole", "hostile", "bare"])
def test_it_is_well_formed_and_fetches_and_runs_nothing(of: Result) -> None:
    text = page(of)
    structure = Structure(text)
    assert structure.open == []
    assert {"script", "img", "link", "iframe", "object", "embed", "form", "base"}.isdisjoint(structure.tags)
    assert [each for each in structure.attributes if each[0].startswith("on")] == []
    links = [value for name, value in structure.attributes if name in {"href", "src", "action", "xlink:href", "data"}]
    assert [each for each in links if not each.startswith("#")] == []
    style = text.split("<style>")[1].split("</style>")[0]
    assert not re.search(r"url\(|@import|@font-face", style)
    assert "default-src 'none'" in text


def test_what_a_plugin_says_is_shown_as_it_said_it() -> None:
    structure = Structure(page(hostile()))
    assert any(plain(HOSTILE) in each for each in structure.texts)
    assert "49" not in "".join(each for each in structure.texts if "7*7" in each)


def test_what_steers_a_reader_or_a_terminal_is_spelled_out() -> None:
    text = page(hostile())
    assert [each for each in "\u202e\x00\x1b" if each in text] == []
    assert "\\u202e\\u0000\\u001b[2J" in text


def test_half_a_character_does_not_cost_the_page() -> None:
    violation = Violation("text", "a lone \ud800", "the plugin")
    outcome = Outcome(GROW, Verdict.FAILED, finding=replace(TOO_SMALL, violation=violation))
    assert "a lone \\ud800" in page(result(outcomes={"EXT-001": outcome}, ranked=["EXT-001"]))


def test_its_size_is_bounded_by_what_happened() -> None:
    messages = [CREATE[0], *(replace(CREATE[1], name=f"call{number % 7}") for number in range(150))]
    stories = [Story(f"operation{number}", by_user=True, count=1, messages=messages) for number in range(20)]
    assert len(page(replace(whole(), stories=stories)).encode()) < 2**20


def test_every_identifier_is_there_once_and_every_link_leads_to_one() -> None:
    structure = Structure(page(whole()))
    names = [value for name, value in structure.attributes if name == "id"]
    assert len(names) == len(set(names))
    assert {value[1:] for name, value in structure.attributes if name == "href"} <= set(names)
    described = [word for name, value in structure.attributes if name == "aria-labelledby" for word in value.split()]
    assert set(described) <= set(names)
