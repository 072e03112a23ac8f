"""Witnesses: a local one of the C2SP protocol, and colleagues who cosign by file."""
