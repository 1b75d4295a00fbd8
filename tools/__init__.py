"""What builds, checks and documents this project; no part of the distribution."""
