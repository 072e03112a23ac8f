"""Hostile and unusual media: made by code, given to the worker, each must end in one clear line."""
