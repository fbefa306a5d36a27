"""Below HTTP: a proxy for any protocol on TCP, what can go wrong in it, and what it overhears."""

from harness.wire.tcp.journal import Ear, Journal
from harness.wire.tcp.proxy import TcpProxy
from harness.wire.tcp.toxics import Bandwidth, Cut, Direction, Latency, LimitData, ResetPeer, Sleep, Slicer, SlowClose, Timeout, Toxic

__all__ = [
    "Bandwidth",
    "Cut",
    "Direction",
    "Ear",
    "Journal",
    "Latency",
    "LimitData",
    "ResetPeer",
    "Sleep",
    "Slicer",
    "SlowClose",
    "TcpProxy",
    "Timeout",
    "Toxic",
]
