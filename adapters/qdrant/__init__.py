"""Qdrant: a vector store over REST or gRPC, as ``contracts/qdrant/`` promises."""

from adapters.qdrant.client import Qdrant, Qdrant18
from adapters.qdrant.filters import Range
from adapters.qdrant.values import CollectionInfo, FailedBatch, Health, Page, Record, ScoredPoint, UpsertReport

__all__ = [
    "CollectionInfo",
    "FailedBatch",
    "Health",
    "Page",
    "Qdrant",
    "Qdrant18",
    "Range",
    "Record",
    "ScoredPoint",
    "UpsertReport",
]
