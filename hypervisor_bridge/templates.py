"""Read a template piece by piece, and prove that it is what its checksum says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final
from urllib.request import urlopen

from conformance.contract import Template

PIECE_BYTES: Final = 1 << 20
_SCHEMES: Final = ("file:", "http:", "https:")
_TIMEOUT_SECONDS: Final = 30.0


class TemplateUnusable(Exception):
    """The template cannot be read, is no raw image, or is not what its checksum says."""


def pieces(template: Template) -> Iterator[bytes]:
    """The bytes of a raw image from a file:, http: or https: source; the checksum is compared at the end."""
    if template.format != "raw":
        raise TemplateUnusable(f"format {template.format} is not raw: convert the template first")
    source = template.source if template.source.startswith(_SCHEMES) else f"file:{template.source}"
    digest = _digest(template)
    try:
        with urlopen(source, timeout=_TIMEOUT_SECONDS) as stream:
            while piece := stream.read(PIECE_BYTES):
                digest.update(piece)
                yield piece
    except OSError as error:
        raise TemplateUnusable(f"{template.source} cannot be read: {error}") from error
    if digest.hexdigest() != template.checksum.partition(":")[2]:
        raise TemplateUnusable(f"{template.source} does not have checksum {template.checksum}")


def _digest(template: Template) -> hashlib._Hash:
    algorithm = template.checksum.partition(":")[0]
    if algorithm not in hashlib.algorithms_guaranteed:
        raise TemplateUnusable(f"checksum {template.checksum!r} is not algorithm:hex")
    return hashlib.new(algorithm, usedforsecurity=False)
