"""One private connection to libvirt's test driver: the part of a host that real libvirt code keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import libvirt

_NODE_XML: Final = Path(__file__).with_name("node.xml")
_SCRATCH_NAME: Final = "scratch"


class Driver:
    """Opened at the first use, because a world may have many hosts and an example may use few."""

    def __init__(self) -> None:
        self._connection: Any = None

    @property
    def connection(self) -> Any:
        """The test driver; `test:///<file>` gives every connection a state of its own."""
        if self._connection is None:
            self._connection = libvirt.open(f"test://{quote(str(_NODE_XML))}")
        return self._connection

    def pool(self, uuid: str) -> Any:
        """The driver's pool of that uuid."""
        return self.connection.storagePoolLookupByUUIDString(uuid)

    def domain(self, uuid: str) -> Any:
        """The driver's domain of that uuid."""
        return self.connection.lookupByUUIDString(uuid)

    def normalised(self, domain_xml: str) -> str:
        """What libvirt's parser makes of a domain's XML, its checks included; nothing is kept."""
        scratch = self.connection.defineXML(domain_xml)
        text = str(scratch.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        scratch.undefine()
        return text

    def close(self) -> None:
        """Drop everything."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
