"""Secondary storage: templates and snapshots as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol


class ImageStoreDriver(Protocol):
    """Optional: keeps images. An interrupted upload leaves nothing."""

    def put(self, name: str, content: Iterator[bytes]) -> int:
        """Store an image and answer its size in bytes; the same name is replaced as a whole."""
        ...

    def get(self, name: str) -> Iterator[bytes]:
        """Give an image's bytes; unknown raises `ObjectNotFound`."""
        ...

    def delete(self, name: str) -> None:
        """Remove an image; absent is success."""
        ...

    def list_images(self) -> Sequence[str]:
        """Names of all images."""
        ...
