"""A server killed with SIGKILL, at any moment, comes back with everything that it acknowledged."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.provider.qdrant_engine import QdrantServer

from .conftest import asking, result_of
from .durability_steps import Model, model_step

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from durability_steps import step
from harness.provider.qdrant_engine import QdrantServer
server = QdrantServer(path=Path(sys.argv[1]), log_bytes=int(sys.argv[4]))
server.open()
number = int(sys.argv[2])
while True:
    step(server.answer, number)
    print(number, flush=True)
    number += 1
"""


def killed_after(path: Path, *, first: int, steps: int, log_bytes: int = 2**30) -> int:
    """Run steps in a child and kill it somewhere after so many; the last step that it acknowledged."""
    command = [sys.executable, "-c", CHILD, str(path), str(first), str(HERE), str(log_bytes)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(steps):
            assert child.stdout.readline(), "the child ended by itself"
        child.send_signal(signal.SIGKILL)
        left = child.stdout.read().splitlines()
    whole = [line for line in left if line.isdecimal()]
    return first + steps - 1 + len(whole)


def stored(path: Path) -> Model:
    """What a server finds at the path, in the form of the model."""
    server = QdrantServer(path=path)
    server.open()
    ask = asking(server)
    found: Model = {}
    for collection in result_of(ask("GET", "/collections"))["collections"]:
        name = collection["name"]
        body = {"limit": 1000, "with_vector": True}
        page = result_of(ask("POST", f"/collections/{name}/points/scroll", body))
        found[name] = {point["id"]: seen(point) for point in page["points"]}
        count = result_of(ask("POST", f"/collections/{name}/points/count", {}))
        assert count == {"count": len(found[name])}
    server.stop()
    return found


def seen(point: Any) -> Any:
    return point["payload"] | {"v": point["vector"][:2]}


@pytest.mark.parametrize("log_bytes", [1, 2**20, 2**30], ids=["no log", "a short log", "a long log"])
def test_everything_acknowledged_is_there_after_each_of_several_kills(tmp_path: Path, log_bytes: int) -> None:
    rng = random.Random(log_bytes)
    model: Model = {}
    first = 0
    for _ in range(3):
        last = killed_after(tmp_path, first=first, steps=rng.randint(2, 200), log_bytes=log_bytes)
        for number in range(first, last + 1):
            model = model_step(model, number)
        found = stored(tmp_path)
        under_way = model_step(model, last + 1)
        assert found in (model, under_way), f"after step {last}"
        model, first = found, last + 1


def test_a_lost_write_would_be_seen(tmp_path: Path) -> None:
    last = killed_after(tmp_path, first=0, steps=60)
    model: Model = {}
    for number in range(last + 1):
        model = model_step(model, number)
    found = stored(tmp_path)
    assert found in (model, model_step(model, last + 1))
    name, points = next((name, points) for name, points in found.items() if points)
    shortened = found | {name: dict(list(points.items())[1:])}
    assert shortened not in (model, model_step(model, last + 1))
