"""Parts of the cloud's desk; a world has them as one object, its `cloud`."""
