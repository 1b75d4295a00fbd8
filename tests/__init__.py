"""This project's own tests; wiring of the packages to one another is done here and nowhere else."""
