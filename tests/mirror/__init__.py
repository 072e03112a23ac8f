"""Second copies: to folders, and to a real S3 server started by the tests."""
