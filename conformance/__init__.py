"""The conformance kit: the contract a storage plugin implements, and the suites that judge it."""
