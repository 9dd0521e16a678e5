"""Measurements, run by hand: README.md says which one answers which question."""
