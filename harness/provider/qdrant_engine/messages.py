"""Qdrant's gRPC messages, with the floats of vectors kept as bytes.

A packed ``repeated float`` and ``bytes`` look the same on the wire. Reading the former makes a Python object
per element, which for 2048 elements costs more than the search; so the schema that comes with qdrant-client
is taken as it is, and only these fields are declared as bytes: little-endian 32-bit floats in a row.
"""

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_FILES = ("collections_service_pb2", "points_service_pb2", "snapshots_service_pb2", "qdrant_pb2")
_AS_BYTES = {
    ("Vector", "data"),
    ("VectorOutput", "data"),
    ("DenseVector", "data"),
    ("SearchPoints", "vector"),
}
SERVICES = ("qdrant.Qdrant", "qdrant.Collections", "qdrant.Points", "qdrant.Snapshots")


def message(name: str) -> Any:
    """The class of a message of the package ``qdrant``."""
    return GetMessageClass(_pool().FindMessageTypeByName(f"qdrant.{name}"))


def service(name: str) -> ServiceDescriptor:
    return _pool().FindServiceByName(name)


def message_class(full_name: str) -> Any:
    return GetMessageClass(_pool().FindMessageTypeByName(full_name))


@cache
def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    package = _generated()
    added: set[str] = set()
    for name in _FILES:
        _add(pool, import_module(f"{package.__name__}.{name}").DESCRIPTOR, added)
    return pool


def _add(pool: DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    """Add a file after the files that it needs."""
    if file.name in added:
        return
    added.add(file.name)
    for needed in file.dependencies:
        _add(pool, needed, added)
    changed = FileDescriptorProto()
    file.CopyToProto(changed)
    for declared in changed.message_type:
        for field in declared.field:
            if (declared.name, field.name) in _AS_BYTES:
                field.type = FieldDescriptorProto.TYPE_BYTES
                field.label = FieldDescriptorProto.LABEL_OPTIONAL
                field.options.Clear()
    pool.Add(changed)


def _generated() -> ModuleType:
    """The package of generated modules inside qdrant-client.

    Taken from its folder unless it is there already: importing qdrant_client itself costs a second.
    """
    loaded = sys.modules.get("qdrant_client.grpc")
    if loaded is not None:
        return loaded
    name = f"{__package__}.generated"
    if name in sys.modules:
        return sys.modules[name]
    folder = _client_folder() / "grpc"
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None, folder
    assert spec.loader is not None, folder
    package = module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


def _client_folder() -> Path:
    found = find_spec("qdrant_client")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the gRPC face needs the schema in qdrant-client: pip install qdrant-client")
    return Path(found.submodule_search_locations[0])
