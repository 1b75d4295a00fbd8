"""LIO, the iSCSI target of Linux, as one more way to serve LUNs: on this kernel, or on that of a small machine.

`host.LioHost` is LIO of the kernel it runs on: disks (`disks`: sparse files behind loop devices), targets (`exports`,
by rtslib), and what configfs says there is (`observation`, which shares no code with what changes it). Who wants
something says what is to be exported as a whole (`values`); `changes` finds the least that has to be done. `start`
starts a machine (`vm`: QEMU) from an image that is made of Debian's packages (`image`, `recipe`, `packages`) and kept
in the user's cache, and gives `remote.RemoteLio`, which has the same calls: `agent` in the machine hands them to a
`LioHost` there.

`targetcli` shows what `targetcli ls` does: Debian's program, which is in the machine too.

What others have made in LIO is left alone. What an owner that is gone has left is removed by the next (`leftovers`).

As LIO of Linux 6.1 does it, and no setting changes:

- A target that is not there is refused with status 0x0301 (service unavailable), not with 0x0203.
- An initiator that offers AuthMethod=None where CHAP is wanted is hung up on without a status; one that leaves out the
  security stage is refused with 0x0201.
- SendTargets shows a target that anybody can log in to, if only with a secret, to everybody.
- Growth is seen by the next READ CAPACITY; unit attention 2A/09 is not sent.
- The serial number of VPD page 0x80 is the part of the NAA designator that is the array's own; there is no EUI-64
  designator, and READ CAPACITY tells of physical blocks as large as logical ones.
- Who came by a secret that anybody may come by, and is refused later while others are still let in, gets status 0x0201
  and not 0x0202.
- LUN numbers above 255 are told and understood as plain numbers, not by SAM-5's flat space addressing, which our
  initiator uses: it reaches numbers up to 255 only.
- Sessions of such initiators are listed by name only. What is read and written is not counted.

Disks of the machine are in its memory, which is limited (`vm.MEMORY_MIB`): what does not fit is a MEDIUM ERROR.
"""
