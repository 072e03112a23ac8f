"""Tracing measured: how many copies are found, and that no other moment is called a copy."""
