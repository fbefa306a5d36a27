"""An answer by something that only stands in for the provider: it proves the client, and says nothing of the provider."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.wire.faults import Step, deliver
from harness.wire.http1 import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Marks what the upstream answered as not the provider's own word; the answer itself is left as it is."""

    needs_answer: ClassVar[bool] = True
    name: str

    def play(self, message: Message) -> Iterator[Step]:
        return deliver(message)
