"""Whether a requirement can be asked of a subject at all: one pure function; properties do not look."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from conformance.contract import AccessModel, Answer, Capability, Unsupported, WitnessPower
from conformance.requirement import Need, Needed, Requirement
from conformance.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ground:
    """What plugin and environment offer. `missing` says why a need cannot be met here."""

    capabilities: Mapping[Capability, Answer]
    access_model: AccessModel | None
    access_models: frozenset[AccessModel]
    powers: Set[WitnessPower]
    offered: Set[Need]
    missing: Mapping[Need, str]


# Choices and rightful limits of the plugin, not weaknesses of the environment.
_PLUGINS_CHOICE = frozenset(
    {
        Need.FRAMEWORK,
        Need.PLUGIN,
        Need.DIRECT,
        Need.CAPACITY,
        Need.HOST_LISTENER,
        Need.ENDPOINT,
        Need.OPTIONAL_PARAMETER,
        Need.SECRET,
        Need.VERIFIED_TLS,
        Need.UPDATE,
    }
)


def gate(requirement: Requirement, ground: Ground) -> tuple[Verdict, str] | None:
    """None when the property can run; else the verdict and the reason."""
    if requirement.not_testable:
        return Verdict.NOT_VERIFIED, requirement.not_testable
    for capability in requirement.lacks:
        if ground.capabilities.get(capability):
            return Verdict.NOT_APPLICABLE, f"{capability} is supported"
    refusals = [each for each in (_refusal(need, ground) for need in requirement.needs) if each]
    # A rightful limit of the plugin weighs more than something this environment cannot show.
    return min(refusals, key=lambda each: each[0] is not Verdict.NOT_APPLICABLE, default=None)


def _refusal(need: Needed, ground: Ground) -> tuple[Verdict, str] | None:
    if isinstance(need, Capability):
        answer = ground.capabilities.get(need)
        if not answer:
            reason = answer.reason if isinstance(answer, Unsupported) else "not declared"
            return Verdict.NOT_APPLICABLE, f"{need}: {reason}"
    elif isinstance(need, WitnessPower):
        if need not in ground.powers:
            return Verdict.NOT_VERIFIED, f"no witness of this array shows its {need}"
    elif isinstance(need, AccessModel):
        return _model_refusal(need, ground)
    elif need not in ground.offered:
        verdict = Verdict.NOT_APPLICABLE if need in _PLUGINS_CHOICE else Verdict.NOT_VERIFIED
        return verdict, ground.missing.get(need, f"needs {need}")
    return None


def _model_refusal(model: AccessModel, ground: Ground) -> tuple[Verdict, str] | None:
    if model is ground.access_model:
        return None
    if model in ground.access_models:
        return Verdict.NOT_VERIFIED, f"this run uses access model {ground.access_model}, not {model}"
    return Verdict.NOT_APPLICABLE, f"the plugin does not serve access model {model}"
