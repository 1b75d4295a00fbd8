"""Standing between plugin and array: one recording proxy for each plugin instance."""
