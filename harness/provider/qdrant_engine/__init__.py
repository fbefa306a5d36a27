"""The embedded Qdrant; importing this loads neither the engine nor gRPC."""

from harness.provider.qdrant_engine.errors import CannotServe
from harness.provider.qdrant_engine.server import QdrantServer

__all__ = ["CannotServe", "QdrantServer"]
