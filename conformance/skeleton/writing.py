"""Render the templates into a folder that is there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined

from conformance.errors import WiringError
from conformance.skeleton.names import Names

_SUFFIX: Final = ".j2"
_RENAMED: Final = {"package": "{package}", "gitignore": ".gitignore"}


def rendered(names: Names) -> Mapping[PurePosixPath, str]:
    """Every file of the project with its content."""
    templates = dict(_templates())
    # No escaping: this is Python and TOML, and the names are checked before.
    environment = Environment(  # noqa: S701
        loader=DictLoader(templates), undefined=StrictUndefined, keep_trailing_newline=True
    )
    values = asdict(names)
    return {_place(each, names): environment.get_template(each).render(values) for each in templates}


def write(names: Names, parent: Path) -> Path:
    """Make the folder `names.name` in `parent`; raises `WiringError` and leaves nothing when it cannot."""
    target = parent / names.name
    if not parent.is_dir():
        raise WiringError(f"there is no folder {parent}; make it, or give another --into; nothing was written")
    if target.exists() or target.is_symlink():
        raise WiringError(f"{target} exists already; move it away, or give another --into; nothing was written")
    files = rendered(names)
    try:
        _write_whole(files, target)
    except OSError as error:
        raise WiringError(f"cannot write {target}: {error.strerror or error}; nothing was written") from error
    return target


def _write_whole(files: Mapping[PurePosixPath, str], target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for path, content in files.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        # A temporary folder is its maker's alone; a project is as other folders beside it.
        draft.chmod(target.parent.stat().st_mode & 0o777)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _place(template: str, names: Names) -> PurePosixPath:
    parts = PurePosixPath(template.removesuffix(_SUFFIX)).parts
    return PurePosixPath(*(_RENAMED.get(each, each).format(package=names.package) for each in parts))


def _templates() -> Iterator[tuple[str, str]]:
    root = resources.files("conformance.skeleton") / "templates"
    with resources.as_file(root) as folder:
        for file in sorted(folder.rglob(f"*{_SUFFIX}")):
            yield file.relative_to(folder).as_posix(), file.read_text(encoding="utf-8")
