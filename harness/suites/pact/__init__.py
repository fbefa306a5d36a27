"""Pact V4 both ways: interactions drawn from the contract, for the client and for the provider."""

from harness.suites.pact.suite import SUITE

__all__ = ["SUITE"]
