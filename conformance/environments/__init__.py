"""Environment files: which array, clusters and probe a run uses."""
