"""Anything that a contract allows, and everything that it forbids, in both directions."""

from harness.suites.fuzz.suite import SUITE

__all__ = ["SUITE"]
