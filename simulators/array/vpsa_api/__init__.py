"""The Zadara VPSA REST API: forms or JSON in, JSON or XML out, as its real clients speak it. Nothing in here does I/O.

Simulated, each path with `.json` and `.xml`:

- users: POST users/login, the only one that needs no access key;
- controllers and pools: GET vcontrollers, pools, pools/ID, pools/ID/volumes, pools/ID/volumes_in_recycle_bin; there is
  one pool, and two controllers of which the first is active;
- volumes: GET volumes (showonlyblock, showonlyfile, display_name, start, limit, page), volumes/ID, volumes/ID/servers;
  POST volumes, volumes/ID/expand, rename, update_comment, servers, detach; PUT volumes/ID/export_name; DELETE
  volumes/ID and volumes/ID/delete_volume_from_recycle_bin; POST settings/set_recycle_bin;
- servers: GET servers, servers/ID, servers/ID/volumes; POST servers, servers/ID/config, servers/ID/rename,
  servers/ID[,ID...]/volumes; DELETE servers/ID;
- snapshots and clones: GET and POST consistency_groups/ID/snapshots, POST consistency_groups/ID/clone; GET snapshots,
  snapshots/ID; POST snapshots/ID/rename; DELETE snapshots/ID.

As the real one: errors come with HTTP status 200, `expand` says how much more, sizes are whole GB (2^30 bytes; a G
behind the number is taken), every volume has a consistency group of its own, all volumes are behind one target with
LUN numbers by server, attaching twice is no error, display names are unique, a clone is there when the call returns,
and more may be promised than the pool has. Parameters that an operation does not have are ignored.

Refused: what has no path above, in the way of a Rails server (HTTP 404, other verbs too, with a text and no JSON);
volumes that are not `block`, not `thin` or attached `readonly`; servers that have an address instead of an IQN; IPsec.
Kept and shown, but without effect: `crypt`, `compress`, `dedupe`, `attachpolicies`, comments and export names.

Where no source says what the real array does: all status codes but 0, 5, 10081 and 10086; `comment` as the name under
which a comment is read back; detaching a server that is not attached is an error; a volume that is attached is not
deleted, nor one with snapshots unless `force` is YES, and then they go too; a server with volumes is not deleted;
snapshots of one consistency group have different names; LUN numbers are the smallest that are free, from 0; INQUIRY
says "Zadara" and "VPSA", and the designator is an NAA of nobody's number, which the API does not tell.
"""
