"""These tests need libvirt-python; without it they are not collected, and the header says so."""

from __future__ import annotations

try:
    import libvirt  # noqa: F401 - only whether it is there
except ImportError:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> str:
    missing = "collect_ignore_glob" in globals()
    return "libvirt-python: missing, the tests of its simulator are left out" if missing else "libvirt-python: found"
