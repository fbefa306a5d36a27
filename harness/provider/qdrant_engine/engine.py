"""All operations of the server on plain values; the REST and the gRPC face both stand on this."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from harness.provider.qdrant_engine.answers import Answer
from harness.provider.qdrant_engine.collection import Ask, Collection, Found
from harness.provider.qdrant_engine.config import collection_config, updated_config
from harness.provider.qdrant_engine.errors import Kind, Refused, no_collection
from harness.provider.qdrant_engine.fields import items, mapping, required
from harness.provider.qdrant_engine.indexes import create_index, delete_index
from harness.provider.qdrant_engine.storage import Storage
from harness.provider.qdrant_engine.together import ThreadQueue, brought
from harness.provider.qdrant_engine.updates import KINDS
from harness.provider.qdrant_engine.versions import Profile

T = TypeVar("T")
_LONGEST_NAME = 255
_FORBIDDEN = frozenset('<>:"/\\|?*\0\x1f')


class Engine:
    """The collections of a server. Safe to use from several threads: one operation at a time.

    The engine holds Python's global lock while it works, so more threads would not make it faster. Of its
    log ``log_bytes`` are kept before they are folded into the segments: a start replays no more than that.
    """

    def __init__(self, *, path: Path | None, profile: Profile, log_bytes: int) -> None:
        self.profile = profile
        self._log_bytes = log_bytes
        self.opened = datetime.now(UTC).isoformat()
        self.changes = 0  # how often anything may have been changed; it only grows
        self._turn = threading.RLock()
        self._queue = ThreadQueue(self.found)
        self._storage = Storage(path=path, profile=profile)
        try:
            self._collections = {collection.name: collection for collection in self._storage.load()}
        except BaseException:
            self._storage.close()
            raise

    def create(self, name: str, body: object) -> bool:
        _check_new_name(name)
        config = collection_config(body, self.profile)
        with self._turn:
            if name in self._collections:
                raise Refused(Kind.ALREADY_EXISTS, f"Collection `{name}` already exists!")
            self._storage.assure_room(len(self._collections), begun=1)
            self.changes += 1
            self._collections[name] = self._storage.create(name, config)
            return True

    def reconfigure(self, name: str, body: object) -> bool:
        """Change the recorded parameters; the engine keeps those it was created with."""
        with self._turn:
            collection = self._get(name)
            self.changes += 1
            collection.config = updated_config(collection.config, body, self.profile)
            self._storage.describe(collection)
            return True

    def delete_collection(self, name: str) -> bool:
        """Whether there was one to delete."""
        with self._turn:
            collection = self._collections.pop(name, None)
            if collection is None:
                return False
            self.changes += 1
            self._storage.delete(collection)
            return True

    def names(self) -> list[str]:
        with self._turn:
            return sorted(self._collections)

    def exists(self, name: str) -> bool:
        return name in self._collections

    def info(self, name: str) -> Answer:
        return self.on(name, Collection.info)

    def create_index(self, name: str, body: object, *, wait: bool) -> Answer:
        doc = mapping(body, "body")
        return self._changed(name, lambda held: held.apply(lambda: create_index(doc), wait=wait))

    def delete_index(self, name: str, field: str, *, wait: bool) -> Answer:
        return self._changed(name, lambda held: held.apply(lambda: delete_index(field), wait=wait))

    def update(self, name: str, kind: str, body: object, *, wait: bool) -> Answer:
        """Apply one update of a kind in ``updates.KINDS``."""
        return self._changed(name, lambda held: held.update(kind, body, wait=wait))

    def update_batch(self, name: str, body: object, *, wait: bool) -> list[Answer]:
        """Apply several updates in their order; the first that is refused ends it."""
        listed = items(required(mapping(body, "body"), "operations"), "operations")
        steps = [_step(entry) for entry in listed]
        with self._turn:
            return [self.update(name, kind, inner, wait=wait) for kind, inner in steps]

    def on(self, name: str, ask: Callable[[Collection], T]) -> T:
        """Ask a collection something."""
        with self._turn:
            return ask(self._get(name))

    def search(self, name: str, ask: Ask) -> list[Answer]:
        """What one search brings; those that wait for their turn at the same time are given to the engine together."""
        return brought(self._queue.found(name, ask))

    def found(self, name: str, asks: Sequence[Ask]) -> list[Found]:
        """What each of several searches brings, or its refusal."""
        return self.on(name, lambda held: held.found(asks))

    def search_batch(self, name: str, asks: Sequence[Ask]) -> list[list[Answer]]:
        """What several searches bring; the first that is refused has all of them refused."""
        return [brought(found) for found in self.found(name, asks)]

    def optimize(self, name: str) -> None:
        """Build the vector index of a collection now; nothing else is answered meanwhile."""
        self.changes += 1
        self.on(name, Collection.optimize)

    def close(self) -> None:
        with self._turn:
            for collection in self._collections.values():
                collection.close()
            self._collections.clear()
            self._storage.close()

    def _changed(self, name: str, change: Callable[[Collection], Answer]) -> Answer:
        with self._turn:
            collection = self._get(name)
            self._storage.assure_room(len(self._collections))
            self.changes += 1
            answer = change(collection)
            if self._storage.durable and collection.unflushed_bytes >= self._log_bytes:
                collection.flush()
            return answer

    def _get(self, name: str) -> Collection:
        collection = self._collections.get(name)
        if collection is None:
            raise no_collection(name)
        return collection


def _step(entry: object) -> tuple[str, Any]:
    doc = mapping(entry, "operation")
    kind = next((kind for kind in KINDS if kind in doc), None)
    if kind is None:
        raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum UpdateOperation")
    return kind, doc[kind]


def _check_new_name(name: str) -> None:
    if not 1 <= len(name) <= _LONGEST_NAME:
        detail = f'[name: value "{name}" invalid, must be from 1 to {_LONGEST_NAME} characters]'
        raise Refused(Kind.PATH_VALIDATION, detail)
    forbidden = _FORBIDDEN & set(name)
    if forbidden:
        shown = ", ".join(repr(character) for character in sorted(forbidden))
        raise Refused(Kind.PATH_VALIDATION, f"[name: collection name cannot contain {shown}]")
