"""Every figure of docs/benchmarks.md, each beside its peer in the same run: `python -m benchmarks`."""

import os

# As the command line does, before numpy is loaded.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
