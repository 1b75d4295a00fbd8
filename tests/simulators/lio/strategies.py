"""Targets as they may be wanted; few names, so that two targets have much in common."""

from __future__ import annotations

from hypothesis import strategies as st

from simulators.lio.values import Acl, Chap, Lun, Target, Unit

IQN = "iqn.2010-01.com.example:array.volume.1"
DISKS = ("disk-1", "disk-2")
HOSTS = tuple(f"iqn.1993-08.org.debian:01:host-{number}" for number in (1, 11, 2))

_SECRETS = st.sampled_from(["secret-of-twelve", "another-secret-12"])
chaps = st.builds(Chap, st.sampled_from(["one", "two"]), _SECRETS) | st.builds(
    Chap, st.sampled_from(["one", "two"]), _SECRETS, st.just("array"), st.just("secret-of-array")
)
luns = st.builds(Lun, st.sampled_from(DISKS), st.booleans())
acls = st.builds(Acl, st.dictionaries(st.integers(0, 3), luns, min_size=1, max_size=2), st.none() | chaps)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A target that LIO can have: what is shown is behind it, one number for one disk where anybody may come."""
    known = draw(st.dictionaries(st.sampled_from(HOSTS), acls, max_size=3))
    shown = {lun.disk for acl in known.values() for lun in acl.luns.values()}
    anybody = None
    if draw(st.booleans()):
        disks = sorted(shown | {draw(st.sampled_from(DISKS))})
        numbers = draw(st.permutations(range(3)))
        is_read_only = draw(st.booleans())
        mine = {number: Lun(disk, is_read_only) for number, disk in zip(numbers, disks, strict=False)}
        anybody, shown = Acl(mine, draw(st.none() | chaps)), set(disks)
    units = {each: Unit(naa="6f47acc1" + draw(st.sampled_from("ab")) * 24) for each in sorted(shown)}
    return Target(IQN, units, known, anybody, draw(st.booleans()))
