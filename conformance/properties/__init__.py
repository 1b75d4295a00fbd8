"""The requirements: one file for each area, one property for each requirement."""
