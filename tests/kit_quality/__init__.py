"""Is the kit any good? The corpus of faults against the requirements: what is found, what survives, how it is told.

`python -m tests.kit_quality` runs every fault of `tests.faulty_providers.corpus` on the in-memory transports, and every
plugin of `tests.variants`, which must not be found fault with.
"""
