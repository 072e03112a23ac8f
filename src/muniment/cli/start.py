"""Where the command begins: Ctrl-C while the program is still being loaded is one line too."""

from __future__ import annotations

import gc
import io
import os
import sys

#: The arrays of tracing are small: more threads only wait for one another (measured: 17.4 instead of
#: 5.4 CPU s for 200 clips), and sums in another order would differ from machine to machine.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

INTERRUPTED = 130
SAID = "muniment: interrupted; run the same command again to go on\n"


def main() -> None:
    """Load the program, then run its command line."""
    _standard_streams()
    gc.disable()  # nothing that is loaded is garbage: looking for it costs a twentieth of a start
    try:
        from muniment.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write(SAID)
        raise SystemExit(INTERRUPTED) from None
    gc.freeze()
    gc.enable()
    run()


def _standard_streams() -> None:
    """Three descriptors that are open, and streams that refuse no character.

    A daemon may start a program with some of them closed: what is opened next would take their
    places, and be taken for them.
    """
    while True:
        number = os.open(os.devnull, os.O_RDWR)
        if number > 2:
            os.close(number)
            break
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
