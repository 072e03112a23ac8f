"""Custody: the log of signed entries, its tree and checkpoints, the keys, and what checks them."""
