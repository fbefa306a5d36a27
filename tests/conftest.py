"""Liars are named by dotted path, from the root of the repository."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[1])

# Last: what is installed comes before the folders harness/ and adapters/ beside the tests.
if ROOT not in sys.path:
    sys.path.append(ROOT)

pytest_plugins = ["pytester"]  # only the uppermost conftest may say so
