"""Where collections live on disk, and that nothing acknowledged is lost when the process is killed.

The engine writes each update to its log before it applies it, and replays the log when a shard is loaded.
The log is a mapped file: what was written survives the process (SIGKILL at any point). A machine that loses
power may lose what was not flushed since. A collection exists from the moment its description is renamed
into place until the moment that file is removed; whatever else lies around is a leftover and is cleared.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.provider.qdrant_engine import edge, room
from harness.provider.qdrant_engine.collection import Collection
from harness.provider.qdrant_engine.config import edge_config
from harness.provider.qdrant_engine.errors import CannotServe, Kind, Refused, from_engine
from harness.provider.qdrant_engine.versions import Profile

_DESCRIPTION = "collection.json"
_SHARD = "shard"
_LOCK = ".lock"
_MEMORY = Path("/dev/shm")  # noqa: S108 - each engine makes a private folder in it
_ENOUGH_BYTES = 8 * 1024**3
_SCRATCH = "qdrant-engine-"
_BEGINNING_S = 600.0  # a younger folder may be one that is about to be locked
_HOMES = "qdrant-engine"  # not "collections", which is what the real server calls its own
_HOME = re.compile(r"[0-9a-f]{32}$")


class Storage:
    """The folder of the collections; without a path a temporary one that goes when it is closed."""

    def __init__(self, *, path: Path | None, profile: Profile) -> None:
        self.durable = path is not None
        self._profile = profile
        self._root = _prepared(path) if path else _scratch()
        self._lock = _locked(self._root)
        self._homes = self._root / _HOMES
        self._homes.mkdir(exist_ok=True)
        try:
            room.assure(self._root, collections=0, more=0)
        except room.Full as full:
            self.close()
            raise CannotServe(f"no room for the collections: {full}; make room there, or choose another --path") from full

    def load(self) -> Iterator[Collection]:
        """The collections that are there."""
        for home in sorted(self._homes.iterdir()):
            if not _HOME.match(home.name):
                continue
            description = home / _DESCRIPTION
            if not description.exists():
                shutil.rmtree(home, ignore_errors=True)
                continue
            known = json.loads(description.read_bytes())
            yield self._collection(known["name"], known["config"], home, self._loaded(home))

    def assure_room(self, collections: int, *, begun: int = 0) -> None:
        """Refused when an update of the collections, or ``begun`` new ones, may not fit on the disk."""
        try:
            room.assure(self._root, collections=collections + begun, more=room.AHEAD + room.BEGUN * begun)
        except room.Full as full:
            raise Refused(Kind.NO_ROOM if self._profile.insufficient_storage else Kind.INTERNAL, f"{full}: make room there") from full

    def create(self, name: str, config: dict[str, Any]) -> Collection:
        home = self._homes / uuid4().hex
        shard = home / _SHARD
        shard.mkdir(parents=True)
        try:
            made = edge.EdgeShard.create(str(shard), edge_config(config, durable=self.durable))
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        self._describe(home, name, config)
        return self._collection(name, config, home, made)

    def describe(self, collection: Collection) -> None:
        """Write down a changed configuration."""
        self._describe(collection.home, collection.name, collection.config)

    def delete(self, collection: Collection) -> None:
        (collection.home / _DESCRIPTION).unlink()
        collection.close()
        shutil.rmtree(collection.home, ignore_errors=True)

    def close(self) -> None:
        os.close(self._lock)
        if not self.durable:
            shutil.rmtree(self._root, ignore_errors=True)

    def _collection(self, name: str, config: dict[str, Any], home: Path, shard: edge.EdgeShard) -> Collection:
        return Collection(name=name, config=config, shard=shard, home=home, profile=self._profile)

    def _loaded(self, home: Path) -> edge.EdgeShard:
        try:
            return edge.EdgeShard.load(str(home / _SHARD))
        except Exception as error:
            reason = from_engine(error).detail
            advice = "restore it from a copy, or remove that folder to go on without the collection"
            raise CannotServe(f"the collection in {home} can't be read ({reason}): {advice}") from error

    def _describe(self, home: Path, name: str, config: dict[str, Any]) -> None:
        draft = home / f"{_DESCRIPTION}.new"
        with draft.open("wb") as file:
            file.write(json.dumps({"name": name, "config": config}).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(home / _DESCRIPTION)


def _scratch() -> Path:
    """A temporary folder, in memory where there is plenty of it: a disk makes each new collection four times as slow."""
    try:
        spacious = shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES and os.access(_MEMORY, os.W_OK)
    except OSError:
        spacious = False
    parent = _MEMORY if spacious else Path(tempfile.gettempdir())
    _clear(parent)
    return Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))


def _clear(parent: Path) -> None:
    """Remove the temporary folders of engines that were killed: nobody holds their lock, and they cost memory."""
    for left in parent.glob(f"{_SCRATCH}*"):
        try:
            if time.time() - left.stat().st_mtime < _BEGINNING_S:
                continue
            held = os.open(left / _LOCK, os.O_RDWR)
        except OSError:  # another's, or gone meanwhile
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(held)


def _prepared(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{uuid4().hex}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        advice = "choose another --path, or make that folder writable"
        raise CannotServe(f"can't keep collections in {path} ({error.strerror}): {advice}") from error
    return path


def _locked(root: Path) -> int:
    """Hold the folder for this process; the kernel lets go of it when the process ends, however it ends."""
    held = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        advice = "stop it, or choose another --path"
        raise CannotServe(f"{root} is in use by another running server: {advice}") from error
    return held
