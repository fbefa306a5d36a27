"""How fast it is, as ratios to a peer beside it in one run: ``python -m tests.benchmarks``."""
