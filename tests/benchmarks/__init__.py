"""Ratios, not milliseconds: `python -m tests.benchmarks`, or `tox -e bench`."""
