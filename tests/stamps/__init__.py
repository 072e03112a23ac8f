"""Time stamps against real authorities: `openssl ts` behind a local HTTP server, a calendar of the
OpenTimestamps protocol, and a chain of block headers that says it is synthetic."""
