"""Slow, exact reference for Vitrail's tests: see README.md."""
