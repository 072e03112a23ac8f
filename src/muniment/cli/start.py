"""Where the command begins: Ctrl-C while the program is still being loaded is one line too."""

from __future__ import annotations

import sys

INTERRUPTED = 130
SAID = "muniment: interrupted; run the same command again to go on\n"


def main() -> None:
    """Load the program, then run its command line."""
    try:
        from muniment.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write(SAID)
        raise SystemExit(INTERRUPTED) from None
    run()
