"""Runs cases: what was observed is judged, and what was judged is folded into verdicts."""

from harness.engine.core import SUITES, all_cases, find_suites, run_case, started
from harness.engine.guards import vacuities

__all__ = ["SUITES", "all_cases", "find_suites", "run_case", "started", "vacuities"]
