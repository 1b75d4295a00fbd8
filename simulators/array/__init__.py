"""Simulated arrays: one model, a management API and iSCSI for clients, one way to look at it from behind.

`model` and what it is made of are the array itself, without I/O; what differs from make to make is in values
(`make`). `element_api` (SolidFire) and `vpsa_api` (Zadara) are management APIs, `apis` says what belongs to each;
`fabric` is the iSCSI data path, `witness_api` and `adapters` list everything, by reading the tables and nothing
else. `server` puts them on loopback ports, `worlds` are open arrays as the kit sees them, `launcher` makes them for an
environment or for a person (`running`), whose array may outlive the process in a file (`journal`).

`data_plane` says who serves the volumes: the target of this process, or LIO (`simulators.lio`), which is told what the
fabric answers (`export_view`) before a call is answered (`publishing_lock`). On LIO forks are copies, traffic is not
counted, a clone that only waits for time gets its target with the next call, and sessions cannot survive regrouping.

Not simulated: replication, QoS as a brake (values are kept, nothing is slowed down), drives that fill up (the
space promised to volumes is limited, what snapshots hold is only counted), Fibre Channel and virtual networks. The
APIs say what they refuse.
"""
