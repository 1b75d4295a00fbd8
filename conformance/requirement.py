"""A requirement and its property: one docstring, one id, one function.

```python
@requirement("EXT-001", subject=PROVIDER, needs=[Capability.RESIZE], rests_on=["PRV-001"])
@given(start=sizes(), grown_by=growths())
def test_ext_001_resize_grows_to_at_least_the_asked_size(subject, start, grown_by): ...
```
The docstring is the requirement: one sentence with MUST, SHOULD or MAY. `given` only keeps the strategies: the property
stays a plain function, so that it can be run with generated arguments, with pinned ones and with those of a replay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from conformance.contract import AccessModel, Capability, Hookup, WitnessPower

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Property = Callable[..., None]
_ID: Final = re.compile(r"[A-Z]{3}-\d{3}")
_STRENGTH: Final = re.compile(r"\b(MUST|SHOULD|MAY)\b")


class Owner(StrEnum):
    """Whose a requirement is."""

    PROVIDER = "provider"
    BRIDGE = "bridge"
    CLOUD = "cloud"


PROVIDER: Final = Owner.PROVIDER
BRIDGE: Final = Owner.BRIDGE
CLOUD: Final = Owner.CLOUD


class Need(StrEnum):
    """What a property needs of plugin and environment besides capabilities and powers of the witness."""

    HYPERVISOR = "a hypervisor cluster"
    SECOND_HYPERVISOR = "a cluster of several hypervisors"
    HYPERVISOR_WITNESS = "a witness of the hypervisor's hosts"
    PROBE = "a host probe that reaches the array"
    WITNESS = "a witness of the array"
    FRAMEWORK = "hookup FRAMEWORK"
    PLUGIN = "hookup PLUGIN"
    DIRECT = "access model direct besides another"
    CAPACITY = "stores that are not over-provisioned"
    HOST_LISTENER = "a host listener"
    ENDPOINT = "a parameter marked as endpoint"
    OPTIONAL_PARAMETER = "a parameter that is not required"
    SECRET = "a parameter marked as secret"
    VERIFIED_TLS = "a parameter marked as ca_file"
    UPDATE = "life cycle method update"
    SIMULATED = "a simulated array"
    LUN_LIMIT = "a largest LUN that fits the array"


Needed = Capability | Need | WitnessPower | AccessModel


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the docstring and the decorator of a property say."""

    id: str
    sentence: str
    strength: str
    subject: Owner
    needs: tuple[Needed, ...]
    lacks: tuple[Capability, ...]
    rests_on: tuple[str, ...]
    hooked_up: bool
    body: Property = field(compare=False, repr=False)
    strategies: Mapping[str, SearchStrategy[object]] = field(compare=False, repr=False)
    pinned: tuple[Mapping[str, object], ...] = field(compare=False, repr=False)
    examples: float = 1.0
    not_testable: str | None = None
    watches: bool = False
    quick_pinned: int | None = None

    @property
    def area(self) -> str:
        """The first three letters: the file it lives in."""
        return self.id[:3]

    def owner(self, hookup: Hookup) -> Owner:
        """Whose it is under a hookup: a plugin that calls the bridge itself answers for what it hooks up."""
        return Owner.PROVIDER if self.hooked_up and hookup is Hookup.PLUGIN else self.subject


def given(**strategies: SearchStrategy[object]) -> Callable[[Property], Property]:
    """Say which strategies a property's arguments are drawn from."""

    def keep(function: Property) -> Property:
        function.strategies = strategies  # type: ignore[attr-defined]
        return function

    return keep


def pinned(**arguments: object) -> Callable[[Property], Property]:
    """Pin an example in dimensionless arguments: it is tried first, on every subject."""

    def keep(function: Property) -> Property:
        function.pinned = (arguments, *getattr(function, "pinned", ()))  # type: ignore[attr-defined]
        return function

    return keep


def pinned_all(*examples: Mapping[str, object], quick: int) -> Callable[[Property], Property]:
    """Pin many examples, the one that shows most first; a quick run tries only the first `quick` ones."""

    def keep(function: Property) -> Property:
        function.pinned = (*examples, *getattr(function, "pinned", ()))  # type: ignore[attr-defined]
        function.quick_pinned = quick  # type: ignore[attr-defined]
        return function

    return keep


def requirement(
    identifier: str,
    *,
    subject: Owner = Owner.PROVIDER,
    needs: Sequence[Needed] = (),
    lacks: Sequence[Capability] = (),
    rests_on: Sequence[str] = (),
    hooked_up: bool = False,
    examples: float = 1.0,
    not_testable: str | None = None,
    watches: bool = False,
) -> Callable[[Property], Property]:
    """Make a property the test of requirement `identifier`.

    `lacks`: only asked of plugins that declare these capabilities unsupported. `examples` scales the profile's number
    of
    examples. `hooked_up`: in hookup PLUGIN the requirement is the plugin's own. `not_testable`: listed with this
    reason.
    """
    if not _ID.fullmatch(identifier):
        raise ValueError(f"{identifier!r} is no requirement id; expected AREA-NNN")

    def attach(function: Property) -> Property:
        sentence = " ".join((function.__doc__ or "").split())
        strengths = _STRENGTH.findall(sentence)
        if len(strengths) != 1:
            raise ValueError(f"{identifier}: expected one of MUST, SHOULD, MAY in the docstring, found {strengths}")
        function.requirement = Requirement(  # type: ignore[attr-defined]
            id=identifier,
            sentence=sentence,
            strength=strengths[0],
            subject=subject,
            needs=tuple(needs),
            lacks=tuple(lacks),
            rests_on=tuple(rests_on),
            hooked_up=hooked_up,
            body=function,
            strategies=getattr(function, "strategies", {}),
            pinned=getattr(function, "pinned", ()),
            examples=examples,
            not_testable=not_testable,
            watches=watches,
            quick_pinned=getattr(function, "quick_pinned", None),
        )
        return function

    return attach
