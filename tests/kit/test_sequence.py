"""Sequence diagrams: what is folded, what never is, and that everything is drawn within the picture."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.messages import Message
from conformance.report.folding import Group, Item, flat, folded
from conformance.report.sequence import WIDTH, Diagram, drawn, milliseconds
from tests.kit.test_html import CREATE, LOST

SVG = "{http://www.w3.org/2000/svg}"


def shown(items: Sequence[Item]) -> list[object]:
    """Names and titles, nested."""
    found: list[object] = []
    for each in items:
        found.append(each.title if isinstance(each, Group) else each.name)
        if each.below:
            found.append(shown(each.below))
    return found


def under(*calls: tuple[str, str]) -> list[object]:
    """Calls of a bridge to hypervisors, by name and host, folded."""
    root = Message("cloud", "bridge", "attach", "", 0, 0.0, 1.0)
    below = [Message("bridge", "hypervisor", name, "", 1, 0.0, 1.0, host=host) for name, host in calls]
    (node,) = folded([root, *below])
    return shown(node.below)


def picture(messages: Sequence[Message], *, with_times: bool = True) -> ElementTree.Element:
    return ElementTree.fromstring(drawn(Diagram("d", "title", messages, with_times=with_times), alone=True))


# --- folding ---------------------------------------------------------------------------------------------------------


def test_hosts_that_are_called_one_after_the_other_are_told_once() -> None:
    assert under(("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")) == ["for each of 2 hosts", ["a", "b"]]


def test_hosts_that_are_called_beside_each_other_are_told_once() -> None:
    assert under(("a", "1"), ("a", "2"), ("b", "2"), ("b", "1")) == ["for each of 2 hosts", ["a", "b"]]


def test_a_host_that_is_called_otherwise_stays_by_itself() -> None:
    calls = (("a", "1"), ("b", "2"), ("b", "3"), ("c", "1"))
    assert under(*calls) == ["a", "for each of 2 hosts", ["b"], "c"]


def test_what_is_repeated_without_a_host_is_counted() -> None:
    assert under(("a", "1"), ("b", "1"), ("a", "1"), ("b", "1"), ("c", "1")) == ["2 times", ["a", "b"], "c"]


def test_what_was_asked_for_twice_is_told_twice() -> None:
    twice = [Message("cloud", "plugin", "create", "vol", 0, 0.0, 1.0)] * 2
    assert shown(folded(twice)) == ["create", "create"]


def test_folding_hides_no_failure() -> None:
    root = Message("user", "cloud", "create_volume", "", 0, 0.0, 1.0)
    fine = Message("cloud", "plugin", "grant_access", "", 1, 0.0, 1.0)
    bad = Message("cloud", "plugin", "grant_access", "", 1, 0.0, 1.0, "Busy: later")
    (node,) = folded([root, fine, fine, bad, fine, fine])
    assert shown(node.below) == ["2 times", ["grant_access"], "grant_access", "2 times", ["grant_access"]]


def test_a_frame_tells_the_median_and_no_name_that_differs() -> None:
    (node,) = folded(CREATE)
    (grant,) = (each for each in flat(node.below) if each.name == "grant_access")
    assert (grant.about, grant.host, grant.took_ms) == ("vol", "", 1.5)


def test_messages_that_lie_too_deep_are_refused() -> None:
    with pytest.raises(ValueError, match="message 1 lies deeper"):
        folded([Message("cloud", "plugin", "create", "", -1, 0.0, 1.0)])


names = st.sampled_from(("a", "b"))
calls = st.lists(st.tuples(names, st.sampled_from(("1", "2", "3")), st.sampled_from(("", "", "Busy"))), max_size=12)


@given(calls)
def test_every_kind_of_call_and_every_failure_is_still_told(made: list[tuple[str, str, str]]) -> None:
    root = Message("cloud", "bridge", "attach", "", 0, 0.0, 1.0)
    below = [Message("bridge", "hypervisor", name, "", 1, 0.0, 1.0, outcome, host=host) for name, host, outcome in made]
    told = {(each.name, each.outcome) for each in flat(folded([root, *below])) if each.callee == "hypervisor"}
    assert told == {(name, outcome) for name, _host, outcome in made}


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_nothing_to_tell_is_no_picture() -> None:
    assert drawn(Diagram("d", "title", [])) == ""
    assert drawn(Diagram("d", "title", [Message("user", "cloud", "detach_volume", "", 0, 0.0, 1.0)])) == ""


def test_a_picture_says_in_words_what_it_shows() -> None:
    root = picture(CREATE)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "d-title d-desc"
    assert root.findtext(f"{SVG}title") == "title"
    assert root.findtext(f"{SVG}desc") == (
        "cloud calls plugin create (plugin calls array CreateVolume); "
        "for each of 2 hosts: (cloud calls plugin grant_access); "
        "cloud calls bridge create_datastore (for each of 2 hosts: (bridge calls hypervisor define))"
    )


def test_a_failure_is_marked_with_its_cause() -> None:
    texts = ["".join(each.itertext()) for each in picture(LOST).iter(f"{SVG}text")]
    assert "✕ Busy: later" in texts
    assert "↯ injected here: the reply was lost" in texts
    assert "✕ no answer" in texts


def test_without_times_it_is_the_same_however_long_all_took() -> None:
    slower = [Message(each.caller, each.callee, each.name, "", each.depth, 5.0, 99.0) for each in CREATE]
    same = [Message(each.caller, each.callee, each.name, "", each.depth, 0.0, 1.0) for each in CREATE]
    first, second = (drawn(Diagram("d", "t", each, with_times=False)) for each in (slower, same))
    assert first == second
    assert drawn(Diagram("d", "t", slower)) != drawn(Diagram("d", "t", same))


long_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(st.lists(st.tuples(long_names, st.integers(0, 3), long_names), min_size=1, max_size=20))
def test_everything_is_drawn_within_the_picture(made: list[tuple[str, int, str]]) -> None:
    parties = ("cloud", "plugin", "array", "bridge", "hypervisor")
    depth, messages = 0, []
    for number, (name, wanted, outcome) in enumerate(made):
        depth = min(wanted, depth + 1) if number else 0
        told = Message(parties[depth], parties[depth + 1], name, name, depth, 0.0, 1.0, outcome, host=name)
        messages.append(told)
    root = picture(messages)
    height = float(root.get("height", "0"))
    for each in root.iter():
        for value in (each.get(name) for name in ("x", "x1", "x2")):
            assert value is None or 0 <= float(value) <= WIDTH
        for value in (each.get(name) for name in ("y", "y1", "y2")):
            assert value is None or 0 <= float(value) <= height
        if each.get("class") in {"busy", "group"}:
            assert float(each.get("y", "0")) + float(each.get("height", "0")) <= height


@pytest.mark.parametrize(
    ("value", "text"), [(0.04, "<0.1 ms"), (3.14159, "3.1 ms"), (123.4, "123 ms"), (2345.0, "2.35 s")]
)
def test_times_are_as_people_read_them(value: float, text: str) -> None:
    assert milliseconds(value) == text
