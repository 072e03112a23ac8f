"""Every figure of docs/benchmarks.md, each beside its peer in the same run: `python -m benchmarks`."""
