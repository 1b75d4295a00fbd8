"""The reference plugins on the simulated array."""
