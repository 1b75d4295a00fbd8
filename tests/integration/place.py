"""A directory to run the installed command in, that knows afterwards what the command left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

COMMAND: Final = Path(sys.executable).with_name("storage-conformance")
_MARK: Final = "CONFORMANCE_TEST_PLACE"
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a command answered."""

    status: int
    stdout: str
    stderr: str


class Place:
    """Home, current directory and temporary directory of commands; nobody else writes there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "here"
        self._home, self._temporary = folder / "home", folder / "tmp"
        for each in (self.folder, self._home, self._temporary):
            each.mkdir()

    def write(self, name: str, text: str) -> str:
        """Put a file there."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start the command."""
        return self.start_program([str(COMMAND), *arguments], variables)

    def start_program(self, command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start any program there, and whatever it starts is known by a variable."""
        mine = {
            "HOME": str(self._home),
            "TMPDIR": str(self._temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "200",
            _MARK: str(self.folder),
        }
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **mine, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *arguments: str, **variables: str) -> Done:
        """Run the command to its end."""
        return finished(self.start(*arguments, **variables))

    def run_program(self, *command: str, **variables: str) -> Done:
        """Run any program to its end."""
        return finished(self.start_program(command, variables))

    def files(self) -> list[str]:
        """The files and folders of the current directory."""
        return sorted(str(each.relative_to(self.folder)) for each in self.folder.rglob("*"))

    def left_behind(self) -> list[str]:
        """Processes that still run, and files outside of the current directory."""
        found = [*self._home.iterdir(), *self._temporary.iterdir()]
        return [*(f"process {each}" for each in self.processes()), *(f"file {each}" for each in found)]

    def processes(self) -> list[int]:
        """Processes that were started here, and those that these started."""
        mark = f"{_MARK}={self.folder}".encode()
        return [pid for pid in _all_processes() if mark in _variables(pid)]


def finished(process: subprocess.Popen[str]) -> Done:
    """Wait for the end of a command."""
    try:
        stdout, stderr = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"not finished within {_SECONDS:g} s: {stdout}{stderr}") from None
    return Done(process.returncode, stdout, stderr)


def read_until(stream: IO[str] | None, text: str) -> str:
    """Read lines up to one with this text; answers them all."""
    assert stream is not None
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"no line with {text!r} came: {''.join(lines)}")


def interrupted(process: subprocess.Popen[str]) -> Done:
    """Press Ctrl-C."""
    process.send_signal(signal.SIGINT)
    return finished(process)


def _all_processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _variables(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        # Gone in the meantime, or somebody else's.
        return []
