"""The machine's `sitecustomize`: pyudev asks the compiler or ldconfig where its library is, and there is neither."""

from __future__ import annotations

import ctypes.util

ctypes.util.find_library = lambda name: f"lib{name}.so.1"
