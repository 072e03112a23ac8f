"""Records, ids, vocabularies: what the rooms pass to each other. Imports nothing of ours but the errors."""
