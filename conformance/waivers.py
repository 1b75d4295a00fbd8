"""Known breaches that somebody answers for until a day: `waivers.toml`.

```toml
[[waiver]]
reason = "ACME-1234: a repeated resize grows once more"
ids = ["EXT-003"]
owner = "storage team"
until = 2027-03-31
digest = "151c2522e9b3"     # optional: the inputs that it was granted for
```
A waiver is no capability: what the plugin may rightly not do is declared. A waived failure is told, and never passed.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from conformance.errors import WiringError
from conformance.nearest import nearest
from conformance.toml_file import NOTHING, read_toml
from conformance.verdict import Outcome, Verdict

DIGEST_SHOWN: Final = 12


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a few words")
    return text


Words = Annotated[str, AfterValidator(_filled)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]


class _Entry(BaseModel):
    """``[[waiver]]``: one reason, and the requirements that it explains."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reason: Words
    ids: Annotated[list[str], Field(min_length=1)]
    owner: Words
    until: datetime.date
    digest: Digest = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    waiver: Annotated[list[_Entry], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Waiver:
    """That this requirement may fail, the last day included. `digest` empty: with whatever inputs."""

    reason: str
    owner: str
    until: datetime.date
    digest: str = ""

    @property
    def text(self) -> str:
        """Why, who answers for it, and how long."""
        return f"{self.reason}; owner {self.owner}; until {self.until}"


Waivers = Mapping[str, Waiver]


def read_waivers(path: Path | None, known: Collection[str]) -> Waivers:
    """Waivers by requirement id; raises `WiringError`. One that is over is read: it makes its requirement stale."""
    if path is None:
        return {}
    try:
        file = _File.model_validate(read_toml(path, "waivers"))
    except ValidationError as error:
        raise WiringError(f"{path}: {'; '.join(_told(error))}; {NOTHING}") from None
    problems = [*_problems(file, known)]
    if problems:
        raise WiringError(f"{path}: {'; '.join(problems)}; {NOTHING}")
    return {
        identifier: Waiver(each.reason, each.owner, each.until, each.digest)
        for each in file.waiver
        for identifier in each.ids
    }


def _problems(file: _File, known: Collection[str]) -> Iterator[str]:
    seen: set[str] = set()
    for number, entry in enumerate(file.waiver):
        for identifier in entry.ids:
            key = f"waiver.{number}.ids"
            if identifier not in known:
                yield f"{key}: there is no requirement {identifier}{nearest(identifier, known)}; expected exact ids"
            elif identifier in seen:
                yield f"{key}: {identifier} is waived twice; expected each id once"
            seen.add(identifier)
        if entry.digest and len(entry.ids) > 1:
            found = ", ".join(entry.ids)
            yield f"waiver.{number}.digest: a digest belongs to one requirement; expected one id, found {found}"


def _told(error: ValidationError) -> Iterator[str]:
    for each in error.errors():
        key = ".".join(map(str, each["loc"])) or "the file"
        if each["type"] == "extra_forbidden":
            names = (_File if len(each["loc"]) == 1 else _Entry).model_fields
            word = str(each["loc"][-1])
            yield f"unknown key {key}{nearest(word, names)}; expected {', '.join(names)}"
        elif each["type"] == "missing":
            yield f"{key} is missing; expected {_EXPECTED.get(str(each['loc'][-1]), 'a value')}"
        else:
            expected = _EXPECTED.get(str(each["loc"][2]) if len(each["loc"]) > 2 else key, each["msg"].lower())
            yield f"{key}: expected {expected}, found {each['input']!r}"


_EXPECTED: Final[Mapping[str, str]] = {
    "waiver": "one table [[waiver]] or more",
    "reason": "why it fails, in a few words",
    "ids": 'a list of requirement ids such as ["EXT-003"]',
    "owner": "who answers for it",
    "until": "the last day, a date such as 2027-03-31 without quotes",
    "digest": f"{DIGEST_SHOWN} to 64 hexadecimal digits, as the report prints them",
}


def applied(waivers: Waivers, settled: Mapping[str, Outcome], today: datetime.date) -> dict[str, Outcome]:
    """The outcomes with what is waived marked so, and with waivers that are over found out."""
    result = {
        name: _judged(outcome, waivers[name], today) if name in waivers else outcome
        for name, outcome in settled.items()
    }
    waived = {name for name, each in result.items() if each.verdict is Verdict.WAIVED}
    return {
        name: _behind(outcome, waivers[name], today) if name in waivers and outcome.blocked_by in waived else outcome
        for name, outcome in result.items()
    }


def _judged(outcome: Outcome, waiver: Waiver, today: datetime.date) -> Outcome:
    if outcome.verdict is Verdict.FAILED:
        stale = _stale(outcome, waiver, today)
        return outcome.became(Verdict.STALE_WAIVER, reason=stale) if stale else _waived(outcome, waiver)
    if outcome.verdict is Verdict.PASSED:
        return outcome.became(Verdict.STALE_WAIVER, reason=f"it passes now: take it out of the waivers ({waiver.text})")
    if outcome.verdict is Verdict.NOT_APPLICABLE:
        why = f"it is not applicable ({outcome.reason}): take it out of the waivers ({waiver.text})"
        return outcome.became(Verdict.STALE_WAIVER, reason=why)
    # BLOCKED, NOT_VERIFIED, KIT_ERROR: it was not seen whether it still fails.
    return outcome


def _behind(outcome: Outcome, waiver: Waiver, today: datetime.date) -> Outcome:
    """What rests on a waived failure is not tried; whoever waives it as well says that this is known."""
    return outcome if today > waiver.until else _waived(outcome, waiver)


def _waived(outcome: Outcome, waiver: Waiver) -> Outcome:
    return outcome.became(Verdict.WAIVED, reason=waiver.text)


def _stale(outcome: Outcome, waiver: Waiver, today: datetime.date) -> str:
    if today > waiver.until:
        return f"it fails, and its waiver ended: {waiver.text}"
    if waiver.digest and not outcome.inputs_digest.startswith(waiver.digest):
        return (
            f"it fails, and was waived for other inputs (digest {waiver.digest[:DIGEST_SHOWN]}, "
            f"this run's is {outcome.inputs_digest[:DIGEST_SHOWN] or 'not known'}): {waiver.text}"
        )
    return ""


def digest_of(outcome: Outcome) -> str:
    """What a waiver may name of the inputs; empty where a requirement has none, or none are known."""
    return outcome.inputs_digest[:DIGEST_SHOWN] if outcome.requirement.strategies else ""


def template(outcome: Outcome, today: datetime.date) -> str:
    """How the entry for a failure would look; what only a person can say is left to be said."""
    lines = [
        "[[waiver]]",
        'reason = "why it fails for now"',
        f'ids = ["{outcome.requirement.id}"]',
        'owner = "who answers for it"',
        f"until = {today + datetime.timedelta(days=90)}",
    ]
    digest = digest_of(outcome)
    if digest:
        lines.append(f'digest = "{digest}"  # optional: for these inputs only')
    return "\n".join(lines)
