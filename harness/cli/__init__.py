"""The command line: ``harness``. Exit status: 0 kept, 1 broken, 2 usage or unreadable contract, 3 SLA missed."""

from harness.cli.group import commands, main

__all__ = ["commands", "main"]
