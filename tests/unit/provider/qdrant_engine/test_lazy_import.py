"""Importing the package costs nothing: the engine and gRPC are loaded when a server starts."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
HEAVY = ("qdrant_edge", "qdrant_client", "grpc", "google.protobuf", "numpy", "orjson", "harness.wire.server")


def test_the_package_loads_no_engine() -> None:
    program = f"""
import sys
import harness.provider.qdrant_engine as package
package.QdrantServer(path=None)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    assert run(program) == "[]"


def test_a_running_server_has_not_loaded_the_whole_official_client() -> None:
    program = """
import sys
from harness.provider.qdrant_engine import QdrantServer
with QdrantServer() as server:
    print("qdrant_edge" in sys.modules, "qdrant_client.http" in sys.modules)
"""
    assert run(program) == "True False"


def test_the_official_client_can_be_imported_after_a_server_took_its_messages() -> None:
    program = """
from harness.provider.qdrant_engine import QdrantServer
with QdrantServer() as server:
    from qdrant_client import QdrantClient
    port, grpc_port = int(server.url.rpartition(":")[2]), int(server.grpc_address.rpartition(":")[2])
    client = QdrantClient(port=port, grpc_port=grpc_port, prefer_grpc=True, check_compatibility=False)
    print(client.get_collections().collections)
"""
    assert run(program) == "[]"


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
