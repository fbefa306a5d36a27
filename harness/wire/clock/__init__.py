"""Virtual time: a client's waits of minutes pass in milliseconds, exactly, with its code unchanged."""

from harness.wire.clock.model import Means, NestedRun, OutOfReach, RealTimeExceeded, Stalled, VirtualClock, Wait
from harness.wire.clock.runner import outlasting, run, run_sync

__all__ = ["Means", "NestedRun", "OutOfReach", "RealTimeExceeded", "Stalled", "VirtualClock", "Wait", "outlasting", "run", "run_sync"]
