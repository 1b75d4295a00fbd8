"""libiscsi's own test suite for targets, run against ours and against any other that is there.

`python -m tests.iscsi_test_cu` runs it and compares with `results.json`; `--write` records what it found, there and
in docs/iscsi-test-cu.md. What fails and is known to fail is listed with its reason in `known_failures`.
"""
