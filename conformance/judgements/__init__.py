"""Judgements that depend on what a plugin declares: properties have no branches, these do."""

from __future__ import annotations

from conformance.judgements.access import (
    access_left,
    cannot_write,
    deleted_while_granted,
    fc_only_is_refused_or_served,
    granule,
    hosts_with_datastore,
    listener_of,
    locked_out,
    out_of_reach,
)
from conformance.judgements.array import (
    facts,
    is_gone,
    nothing_changes,
    nothing_is_left,
    objects_of,
    others_unchanged,
    usage_is_true,
)
from conformance.judgements.capabilities import unsupported_is_refused
from conformance.judgements.chap import chap_of, foreign_credentials_refused, wrong_secret
from conformance.judgements.lives import error_names, everything_fails, whole_life
from conformance.judgements.qos import another_qos, fitted, merged, parts_of, qos_is, qos_out_of_limits
from conformance.judgements.sizes import (
    below_smallest,
    identity_is_true,
    largest_asked_of_bridge,
    largest_works,
    late_repeat,
    lun_bytes,
    more_than_there_is,
    size_answer_is_true,
    size_is_true,
)

__all__ = [
    "access_left",
    "another_qos",
    "below_smallest",
    "cannot_write",
    "chap_of",
    "deleted_while_granted",
    "error_names",
    "everything_fails",
    "facts",
    "fc_only_is_refused_or_served",
    "fitted",
    "foreign_credentials_refused",
    "granule",
    "hosts_with_datastore",
    "identity_is_true",
    "is_gone",
    "largest_asked_of_bridge",
    "largest_works",
    "late_repeat",
    "listener_of",
    "locked_out",
    "lun_bytes",
    "merged",
    "more_than_there_is",
    "nothing_changes",
    "nothing_is_left",
    "objects_of",
    "others_unchanged",
    "out_of_reach",
    "parts_of",
    "qos_is",
    "qos_out_of_limits",
    "size_answer_is_true",
    "size_is_true",
    "unsupported_is_refused",
    "usage_is_true",
    "whole_life",
    "wrong_secret",
]
