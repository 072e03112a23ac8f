"""map(step, keys) -> stored results: a supervisor over confined processes."""
