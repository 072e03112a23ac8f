"""The command line: one file a noun; each command reads its arguments, calls the case, prints."""
