"""KVM hosts: libvirt's own test driver with an overlay for what it lacks, behind libvirt-python's surface.

libvirt itself parses and keeps every pool and domain (one private test-driver connection per host). The
overlay adds what the test driver has not, as libvirtd 9.0.0 with QEMU does it:

- secrets (``usage type='iscsi'``), with values that no XML shows and that private ones never give back;
- the LUNs of ``iscsi-direct`` pools, found by logging in to the target with the pool's initiator IQN and CHAP
  at every start and refresh. A volume's capacity is one block short, as in the real driver; a failed refresh
  stops the pool;
- hot-plug of network-iSCSI disks and pool volumes, whose sessions stay open as QEMU's do; sizes that are old
  until ``blockResize``; virtio disks that stay because no guest lets go of them; no lock against attaching a
  LUN twice;
- peer-to-peer migration between hosts of one cluster: the target logs in and starts before the source ends;
- the error codes of the real driver where the test driver has others.

Its state lives in a `ClusterSimulator`, never in a connection: in the process of whoever made it, or in a
daemon of its own (`simulators.libvirt.daemon`) that clients reach over a Unix socket.

Not simulated and refused: every other call of libvirt (code 3, NO_SUPPORT), pools of another type (code 1,
"missing backend"), live disks that are neither network-iSCSI nor volume (3), devices other than disks (3),
mutual CHAP (libvirt has none). There is no guest: a domain that runs executes nothing, and its disks are read
and written from outside.
"""
