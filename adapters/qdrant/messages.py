"""Qdrant's gRPC messages, with vectors as bytes, so that no Python object is made for a number in them.

A packed ``repeated float`` and ``bytes`` are the same on the wire: the schema that comes with qdrant-client is taken,
and these fields are declared as bytes. Importing qdrant-client itself takes more than a second, so only the modules of
the schema are loaded.
"""

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

_PACKED = {("Vector", "data"), ("VectorOutput", "data"), ("DenseVector", "data"), ("SearchPoints", "vector")}
_SCHEMA = "points_service_pb2"


def message(name: str) -> Any:
    """The class of a message of the package ``qdrant``."""
    return _class(name)


def parsed(name: str, content: bytes) -> Any:
    """The message that some bytes are; ValueError where they are none."""
    try:
        return _class(name).FromString(content)
    except DecodeError as error:
        raise ValueError(f"the answer is no {name}: {error}") from None


@cache
def _class(name: str) -> Any:
    return GetMessageClass(_pool().FindMessageTypeByName(f"qdrant.{name}"))


@cache
def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    _add(pool, import_module(f"{_schema_package().__name__}.{_SCHEMA}").DESCRIPTOR, set())
    return pool


def _add(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    """A file, after the files that it needs."""
    if file.name in added:
        return
    added.add(file.name)
    for needed in file.dependencies:
        _add(pool, needed, added)
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    fields = [(declared.name, field) for declared in copy.message_type for field in declared.field]
    for owner, field in fields:
        if (owner, field.name) in _PACKED:
            field.type, field.label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_OPTIONAL
            field.options.Clear()
    pool.Add(copy)


def _schema_package() -> ModuleType:
    loaded = sys.modules.get("qdrant_client.grpc")
    if loaded is not None:
        return loaded
    name = f"{__package__}.schema"
    if name in sys.modules:
        return sys.modules[name]
    found = find_spec("qdrant_client")
    if found is None or not found.submodule_search_locations:
        raise ImportError("gRPC needs the schema in qdrant-client: pip install 'contract-harness[qdrant]'")
    folder = Path(found.submodule_search_locations[0]) / "grpc"
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    sys.modules[name] = package = module_from_spec(spec)
    spec.loader.exec_module(package)
    return package
