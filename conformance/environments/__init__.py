"""Environment files: which array, clusters and probe a run uses."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SIMULATED: Final[Traversable] = resources.files(__name__).joinpath("simulated.toml")
SIMULATED_VPSA: Final[Traversable] = resources.files(__name__).joinpath("simulated_vpsa.toml")
