"""Searches beyond single calls: sequences of operations, checked against the model after each step.

A program is a list of abstract steps, drawn as a whole. It is a plain value: it shrinks, is kept as JSON, and runs
again
exactly, on another subject or environment.
"""
