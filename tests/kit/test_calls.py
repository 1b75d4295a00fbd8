"""Threads that calls run on: kept while they are free, never while they are in a call."""

from __future__ import annotations

import threading

import pytest

from conformance.calls import CallHung, CallThreads


def test_a_thread_is_kept_from_call_to_call() -> None:
    threads = CallThreads()
    assert threads.run(threading.get_ident, 5) == threads.run(threading.get_ident, 5)
    threads.close()


def test_the_answer_of_a_call_that_hung_is_never_anothers() -> None:
    threads, go_on = CallThreads(), threading.Event()
    with pytest.raises(CallHung):
        threads.run(lambda: go_on.wait(5) and "late", 0.01)
    go_on.set()
    assert threads.run(lambda: "next", 5) == "next"
    threads.close()
