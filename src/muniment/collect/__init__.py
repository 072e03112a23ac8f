"""Collect: sources are read, never trusted. Each source kind is one file; none writes to a case."""
