"""Faults against FLT: requests and replies that are lost on the way."""

from __future__ import annotations

from tests.faulty_providers.fault import Fault

FAULTS: tuple[Fault, ...] = ()
