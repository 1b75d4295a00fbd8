"""A simulated SolidFire array: one model, two ways in for clients, one way to look at it from behind.

`model` and what it is made of are the array itself, without I/O. `element_api` is its management API,
`fabric` its iSCSI data path, `witness_api` and `adapters` list everything, by reading the tables and nothing
else. `server` puts them on loopback ports, `launcher` makes an environment's array of them.

Not simulated: replication, QoS as a brake (values are kept, nothing is slowed down), drives that fill up (the
space promised to volumes is limited, what snapshots hold is only counted), Fibre Channel, virtual networks, and
state that outlives the process. `element_api` says what is refused.
"""
