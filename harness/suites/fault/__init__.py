"""What the client does when the provider fails: a catalogue of faults, and the policies put to the test."""

from harness.suites.fault.suite import SUITE

__all__ = ["SUITE"]
