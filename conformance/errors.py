"""When the kit or its wiring is broken: never a vendor's fault, never shown as a failed requirement."""

from __future__ import annotations


class KitError(Exception):
    """The kit could not do its work."""


class BeyondDeclared(Exception):
    """What the plugin declares or tells leaves no room for what a property needs: nobody's fault, nothing is judged."""


class WiringError(KitError):
    """A run cannot start as it was asked: one sentence with the cause and the next step; nothing was started."""


class SafetyError(KitError):
    """A call on a real array or cluster was stopped before it was made, because a budget or rail forbids it."""
