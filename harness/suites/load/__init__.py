"""The load suite: an arrival-rate model in front of the provider, judged by the objectives under ``sla:``."""

from harness.suites.load.suite import SUITE

__all__ = ["SUITE"]
