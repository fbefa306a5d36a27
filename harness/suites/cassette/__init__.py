"""Cassettes: what real providers once answered, against the contract and against the client."""

from harness.suites.cassette.suite import SUITE

__all__ = ["SUITE"]
