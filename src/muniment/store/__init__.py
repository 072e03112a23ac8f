"""Store: the folder on disk. Bytes in, bytes out; knows no meaning, no keys."""
