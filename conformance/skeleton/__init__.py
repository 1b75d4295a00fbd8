"""The beginning of a plugin: a project that can be registered and says what to write next."""
