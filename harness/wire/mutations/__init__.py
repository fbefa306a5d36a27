"""Lies about a response, one at a time: what a provider can get wrong, derived from the contract.

``mutations`` makes them all from one good response; ``broken_by`` tells which clauses a response really breaks.
"""

from harness.wire.mutations.edits import Edit, Kind, pointer
from harness.wire.mutations.messages import Message, carrying, encoded
from harness.wire.mutations.mutation import broken_by, broken_invariants, invariants_broken, mutations
from harness.wire.mutations.schema import breaking, confirmed, keeping
from harness.wire.mutations.structure import reshaped

__all__ = [
    "Edit",
    "Kind",
    "Message",
    "breaking",
    "broken_by",
    "broken_invariants",
    "carrying",
    "confirmed",
    "encoded",
    "invariants_broken",
    "keeping",
    "mutations",
    "pointer",
    "reshaped",
]
