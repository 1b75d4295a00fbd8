"""Tests of what builds and prepares this project."""
