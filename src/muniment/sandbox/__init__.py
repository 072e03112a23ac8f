"""Confined processes forked from a clean zygote that holds no keys and no case data."""
