"""Escapes from confinement, each tried in a plain process and in a confined worker."""
