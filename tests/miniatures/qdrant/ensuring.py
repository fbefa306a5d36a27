"""Lying Qdrant clients that make a collection ready in a wrong way; each is the reference client with one thing wrong."""

from collections.abc import Mapping
from typing import Any

import httpx

from adapters.errors import InvalidInput
from adapters.qdrant import Qdrant

assert httpx  # the seam in process is taken by clients whose module speaks httpx


class EnsuresNothing(Qdrant):
    """Says that a collection was made, and asks nobody."""

    async def ensure_collection(self, collection: str | None = None, **options: Any) -> bool:
        return True


class EnsuresNoIndex(Qdrant):
    """Makes the collection, and none of its indexes."""

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return "completed"


class ForgetsTheTime(Qdrant):
    """Makes all indexes but one."""

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return "completed" if field == "created_at" else await super().create_index(collection, field, kind, wait=wait)


class EnsuresTextOnly(Qdrant):
    """Indexes whole numbers as text."""

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return await super().create_index(collection, field, "keyword" if kind == "integer" else kind, wait=wait)


class EnsuresSmallVectors(Qdrant):
    """Has a size of its own for collections."""

    async def ensure_collection(self, collection: str | None = None, *, size: int | None = None, **options: Any) -> bool:
        return await super().ensure_collection(collection, size=size or 1536, **options)


class EnsuresByProduct(Qdrant):
    """Has a distance of its own for collections."""

    async def ensure_collection(self, collection: str | None = None, *, distance: str | None = None, **options: Any) -> bool:
        return await super().ensure_collection(collection, distance=distance or "Dot", **options)


class EnsuresAnotherGraph(Qdrant):
    """Has a graph of its own for collections."""

    async def create_collection(self, collection: str, *, hnsw_config: Mapping[str, object] | None = None, **options: Any) -> bool:
        return await super().create_collection(collection, hnsw_config=hnsw_config or {"m": 16, "ef_construct": 100}, **options)


class EnsuresOtherSegments(Qdrant):
    """Has segments of its own for collections."""

    async def create_collection(self, collection: str, *, optimizers_config: Mapping[str, object] | None = None, **options: Any) -> bool:
        own = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 2}
        return await super().create_collection(collection, optimizers_config=optimizers_config or own, **options)


class EnsuresAnew(Qdrant):
    """Takes a collection away that is there, to make it."""

    async def ensure_collection(self, collection: str | None = None, **options: Any) -> bool:
        await self.delete_collection(collection or self.default_collection)
        return await super().ensure_collection(collection, **options)


class EnsuresIndexesFirst(Qdrant):
    """Looks at what is there when it has changed it."""

    async def ensure_collection(self, collection: str | None = None, **options: Any) -> bool:
        try:
            return await super().ensure_collection(collection, **options)
        except InvalidInput:
            await self.create_index(collection or self.default_collection, "library_id", "keyword")
            raise


class TakesAnyVectors(Qdrant):
    """Is content with a collection of any vectors."""

    async def ensure_collection(self, collection: str | None = None, **options: Any) -> bool:
        try:
            return await super().ensure_collection(collection, **options)
        except InvalidInput:
            return False


class EnsuresNewOnesOnly(Qdrant):
    """Leaves a collection without indexes that is there without."""

    async def ensure_collection(self, collection: str | None = None, **options: Any) -> bool:
        info = await self.info(collection) if await self._is_there(collection or self.default_collection) else None
        if info is not None and info.size == options.get("size", info.size):
            return False
        return await super().ensure_collection(collection, **options)

    async def _is_there(self, collection: str) -> bool:
        found: bool = (await self._ask("collection_exists", path={"collection": collection}))["result"]["exists"]
        return found


class MisreadsTheSize(Qdrant):
    """Says another number of points than it was told."""

    async def info(self, collection: str | None = None) -> Any:
        found = await super().info(collection)
        return type(found)(
            name=found.name, status=found.status, points=found.points + 1, size=found.size, distance=found.distance, indexed=found.indexed
        )
