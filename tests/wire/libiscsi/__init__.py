"""libiscsi, which QEMU uses too, as the kit's host probe: an initiator that none of us wrote."""
