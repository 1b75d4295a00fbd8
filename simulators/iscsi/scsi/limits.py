"""What the block limits page promises and the commands then enforce: the two must not drift apart."""

from __future__ import annotations

MAX_TRANSFER_BYTES = 8 << 20
MAX_UNMAP_BYTES = 512 << 20
MAX_UNMAP_DESCRIPTORS = 256
MAX_WRITE_SAME_BYTES = MAX_TRANSFER_BYTES
MAX_COMPARE_BLOCKS = 255
MAX_ATOMIC_BLOCKS = 512

MAX_COPY_TARGETS = 2
MAX_COPY_SEGMENTS = 8
MAX_COPY_DESCRIPTOR_BYTES = 1024

THRESHOLD_EXPONENT = 11
"""A threshold set is 2 to the power of this many blocks (SBC-3 §6.6.4)."""
