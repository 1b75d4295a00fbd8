"""What the items of a pytest session came to, gathered from all its processes into one result."""

from __future__ import annotations

import datetime
import json
import pickle
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.asked import Asked
from conformance.catalogue import catalogue
from conformance.chronicle import Chronicle
from conformance.contract import Hookup
from conformance.opening import profile_named
from conformance.report.as_json import outcome_from, outcome_record
from conformance.requirement import Requirement
from conformance.session import About, Result, about, uncounted, with_untried
from conformance.settle import ranking, settle
from conformance.subject import RunningSubject
from conformance.verdict import Outcome, Verdict
from conformance.waivers import Waivers, applied

Record = Mapping[str, Any]


def carried(outcome: Outcome, subject: RunningSubject) -> str:
    """An outcome as text, to be carried by pytest's own report; with whose it is, should its process not come home."""
    declared = subject.declared
    record = {
        "outcome": outcome_record(outcome),
        "provider": declared.name,
        "version": declared.version,
        "contract_version": declared.contract_version,
        "hookup": str(declared.hookup),
    }
    return json.dumps(record, default=repr)


def seen_by(subject: RunningSubject) -> bytes:
    """What a process saw besides outcomes, to be carried home by pytest-xdist."""
    return pickle.dumps((about(subject), subject.chronicle))


class Gathering:
    """Filled while a session goes on, in the process where its reports come together."""

    def __init__(self, asked: Asked, waivers: Waivers, today: datetime.date) -> None:
        self._asked, self._waivers, self._today = asked, waivers, today
        self._carried: list[Record] = []
        self._chosen: dict[str, Requirement] = {}
        self._about: About | None = None
        self._chronicle = Chronicle()

    def take(self, text: str) -> None:
        """Take in one outcome."""
        self._carried.append(json.loads(text))

    def chose(self, identifiers: Iterable[str]) -> None:
        """Remember what is to be tried."""
        requirements = catalogue()
        self._chosen |= {each: requirements[each] for each in identifiers}

    def chose_functions(self, names: Iterable[str]) -> None:
        """The same by the names of the properties, which are all that pytest-xdist tells; other tests have others."""
        known = {each.body.__name__: each.id for each in catalogue().values()}
        self.chose(known[each] for each in names if each in known)

    def heard(self, seen: bytes) -> None:
        """Take in what another process saw."""
        self._about, chronicle = pickle.loads(seen)  # noqa: S301  (from a worker of this very session)
        self._chronicle.take_in(chronicle)

    def _outcomes(self) -> list[Outcome]:
        requirements = profile_named(self._asked.profile).seen(catalogue())
        return [outcome_from(each["outcome"], requirements) for each in self._carried]

    @property
    def told(self) -> Sequence[Outcome]:
        """The failures as each was told, by itself: one that is waived was not."""
        by_id = {each.requirement.id: each for each in self._outcomes() if each.verdict is Verdict.FAILED}
        alone = [applied(self._waivers, {name: each}, self._today)[name] for name, each in by_id.items()]
        return [each for each in alone if each.verdict is not Verdict.WAIVED]

    def result(self) -> Result | None:
        """What all of it means together; None when nothing was tried."""
        if not self._carried:
            return None
        profile, outcomes = profile_named(self._asked.profile), self._outcomes()
        requirements = profile.seen(catalogue())
        settled = applied(self._waivers, settle(outcomes, requirements), self._today)
        whole = with_untried(settled, (requirements[each] for each in self._chosen))
        return Result(
            **(self._about or _bare(self._carried[0])),
            profile=profile.name,
            seed=self._asked.seed,
            is_certifying=profile.is_certifying,
            outcomes=dict(sorted(whole.items())),
            ranked=[each for each in ranking(settled, requirements) if profile.counts(each)],
            seconds=sum(each.seconds for each in outcomes),
            was_interrupted=len(whole) > len(settled),
            chosen=len(self._chosen),
            stories=self._chronicle.stories(),
            timings=self._chronicle.timings(),
            waivers=self._waivers,
            uncounted=uncounted(profile, whole),
            today=self._today,
        )


def _bare(record: Record) -> About:
    """All that is known of a subject whose processes did not come home."""
    return About(
        provider=record["provider"],
        version=record["version"],
        contract_version=record["contract_version"],
        hookup=Hookup(record["hookup"]),
        declared={},
        surroundings=None,
        transport="",
        declarations={},
    )
