"""A result for build servers: `junit.xml`, one test case for each requirement."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from conformance.report.as_text import Replay, brief, failure, interruption
from conformance.session import Result
from conformance.verdict import Outcome, Verdict

# XML 1.0 §2.2: the characters a document may have; what a plugin said may hold any.
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAILURES: Final = frozenset({Verdict.FAILED, Verdict.BLOCKED, Verdict.STALE_WAIVER})
_ERRORS: Final = frozenset({Verdict.KIT_ERROR})


def text(result: Result, replay: Replay, started: str) -> str:
    """The file's content."""
    outcomes = list(result.outcomes.values())
    failures = sum(each.verdict in _FAILURES for each in result.counted)
    errors = sum(each.verdict in _ERRORS for each in outcomes) + result.was_interrupted
    passed = sum(each.verdict is Verdict.PASSED for each in outcomes)
    cases = len(outcomes) + result.was_interrupted
    told = ", interrupted" if result.was_interrupted else ""
    attributes = {
        "name": f"storage-conformance {_legal(result.provider)} {_legal(result.version)}{told}",
        "tests": str(cases),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(cases - passed - failures - errors),
        "time": f"{result.seconds:.3f}",
        "timestamp": started,
    }
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", attributes)
    if result.was_interrupted:
        _interrupted(suite, result)
    for outcome in outcomes:
        _case(suite, outcome, replay, counts=outcome.requirement.id not in result.uncounted)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _interrupted(suite: ElementTree.Element, result: Result) -> None:
    """An error of its own: a build server must not take what is left for all there is."""
    case = ElementTree.SubElement(suite, "testcase", {"classname": "conformance", "name": "the run is whole"})
    message = interruption(result.not_tried, result.chosen)
    ElementTree.SubElement(case, "error", {"message": message, "type": "INTERRUPTED"}).text = message


def _case(suite: ElementTree.Element, outcome: Outcome, replay: Replay, *, counts: bool) -> None:
    requirement = outcome.requirement
    attributes = {
        "classname": f"conformance.{requirement.area}",
        "name": f"{requirement.id} {_legal(requirement.sentence)}",
        "time": f"{outcome.seconds:.3f}",
    }
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if outcome.verdict is Verdict.PASSED:
        return
    message = _message(outcome)
    attributes = {"message": _legal(message)}
    if outcome.verdict not in (_FAILURES | _ERRORS if counts else _ERRORS):
        ElementTree.SubElement(case, "skipped", {**attributes, "type": str(outcome.verdict)})
        return
    tag = "error" if outcome.verdict in _ERRORS else "failure"
    told = ElementTree.SubElement(case, tag, {**attributes, "type": str(outcome.verdict)})
    told.text = _legal(failure(outcome, replay) if outcome.finding else message)


def _message(outcome: Outcome) -> str:
    if outcome.verdict is Verdict.FAILED and outcome.finding:
        violation = outcome.finding.violation
        return f"expected {violation.expected}; {violation.observer} observed {violation.observed}"
    return f"{outcome.verdict}: {brief(outcome)}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
