"""Report: the page a case is handed on with, drawn from records alone, without a clock or a disk."""
