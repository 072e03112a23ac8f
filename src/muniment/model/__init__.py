"""Records, ids, vocabularies: what the rooms pass on. Imports nothing of ours but the errors."""
