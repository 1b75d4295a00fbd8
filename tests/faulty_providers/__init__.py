"""Faulty plugins, bridges and cloud steps: they prove that the requirements can fail.

A fault is a line of data: the requirement it breaks, where it sits, what changes there, and when. See `fault` for its
shape, `operators` for the changes, `when` for the occasions, and `corpus/` for the faults.
"""
