"""What the block limits page promises and the commands then enforce: the two must not drift apart."""

from __future__ import annotations

MAX_TRANSFER_BYTES = 8 << 20
MAX_UNMAP_BYTES = 512 << 20
MAX_UNMAP_DESCRIPTORS = 256
