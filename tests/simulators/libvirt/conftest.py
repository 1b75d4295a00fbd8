"""Simulated hosts whose targets are as simple as a dictionary."""

from __future__ import annotations

import pytest

pytest.importorskip("libvirt")
