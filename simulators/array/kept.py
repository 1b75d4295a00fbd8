"""An array that is kept in a file: what it was made with comes from there once it has been begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulators.array.surroundings import Now

ADDRESSES: Final = ("port", "management_port", "witness_port", "page_port")
_CHOSEN_EACH_TIME: Final = (*ADDRESSES, "faults")


def kept_in(path: Path, given: Mapping[str, object], now: Now) -> tuple[Journal, Mapping[str, object]]:
    """The file, and the settings with which the array in it goes on, or with which a new one begins.

    Raises `JournalUnusable`, and `ValueError` for a setting that would make another array of it.
    """
    journal = Journal(path, now)
    begun = journal.begun_with()
    if begun is None:
        return journal, given
    for name in sorted(given.keys() - {*_CHOSEN_EACH_TIME}):
        if begun.get(name) != given[name]:
            journal.close()
            raise ValueError(
                f"setting {name!r} is {begun.get(name, 'left out')} in {path}: leave it out here, or begin a new file"
            )
    return journal, {**begun, **given}
