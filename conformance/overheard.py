"""What a plugin says where others can hear it: log records, standard output and standard error."""

from __future__ import annotations

import io
import logging
import sys
from types import TracebackType
from typing import Self

_LIMIT = 4_000_000


class _Keeper(logging.Handler):
    """Keeps the text of every record, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.lines.append(self._formatter.format(record))
        except Exception as error:  # a record that cannot be formatted is the plugin's affair
            self.lines.append(f"{record.msg!r} {record.args!r} {error!r}")


class Overheard:
    """Listens between `with` and its end; puts everything back as it was."""

    def __init__(self) -> None:
        self._keeper = _Keeper()
        self._out, self._err = io.StringIO(), io.StringIO()

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self._keeper)
        root.setLevel(logging.DEBUG)
        self._stdout, self._stderr = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._out, self._err
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout, sys.stderr = self._stdout, self._stderr
        root = logging.getLogger()
        root.removeHandler(self._keeper)
        root.setLevel(self._level)

    def places(self) -> dict[str, str]:
        """What was heard, by where."""
        return {
            "the log": "\n".join(self._keeper.lines)[:_LIMIT],
            "standard output": self._out.getvalue()[:_LIMIT],
            "standard error": self._err.getvalue()[:_LIMIT],
        }
