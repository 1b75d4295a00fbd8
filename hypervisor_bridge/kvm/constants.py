"""Numbers of libvirt's public API, so that the bridge can be imported where libvirt is not; a test compares them."""

from __future__ import annotations

from typing import Final

ERR_INTERNAL_ERROR: Final = 1
ERR_NO_SUPPORT: Final = 3
ERR_NO_CONNECT: Final = 5
ERR_INVALID_CONN: Final = 6
ERR_SYSTEM_ERROR: Final = 38
ERR_RPC: Final = 39
ERR_NO_DOMAIN: Final = 42
ERR_AUTH_FAILED: Final = 45
ERR_NO_STORAGE_POOL: Final = 49
ERR_NO_STORAGE_VOL: Final = 50
ERR_INVALID_SECRET: Final = 65
ERR_NO_SECRET: Final = 66
ERR_OPERATION_TIMEOUT: Final = 68
ERR_DEVICE_MISSING: Final = 99
FROM_RPC: Final = 7

CONNECT_LIST_DOMAINS_ACTIVE: Final = 1
CONNECT_LIST_DOMAINS_INACTIVE: Final = 2
CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT: Final = 1 << 19
SECRET_USAGE_TYPE_ISCSI: Final = 3
DOMAIN_XML_INACTIVE: Final = 2
DOMAIN_AFFECT_LIVE: Final = 1
DOMAIN_AFFECT_CONFIG: Final = 2
DOMAIN_BLOCK_RESIZE_BYTES: Final = 1
MIGRATE_LIVE: Final = 1
MIGRATE_PEER2PEER: Final = 2
MIGRATE_PERSIST_DEST: Final = 8
MIGRATE_UNDEFINE_SOURCE: Final = 16
MIGRATE_PARAM_DEST_XML: Final = "destination_xml"
MIGRATE_PARAM_PERSIST_XML: Final = "persistent_xml"
