"""Many smoke runs of right plugins, in random order with random inputs: none may find anything."""
