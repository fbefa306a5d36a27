"""An image that runs the embedded engine, from a base made here: no registry is needed. ``python -m tests.images.qdrant.build``.

Three images, each on the one before and each made only when it is missing: the base (debootstrap, once), the
packages (when a version changes) and the engine itself (when the code does).
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import distributions, requires
from pathlib import Path
from typing import Any

import docker
import docker.errors

import harness

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SUITE, PYTHON = "bookworm", "3.11"  # the Python that this Debian has
MIRROR = "http://deb.debian.org/debian"
NAME = "contract-harness-qdrant"
HOW = "as root: apt-get install docker.io debootstrap, then dockerd &"


class CannotBuild(Exception):
    """The image can't be made here; the message says what is missing and how to get it."""


def image(contract: str = "qdrant", *, client: Any = None) -> str:
    """The name of an image that serves a contract, made first if it is missing."""
    client = client or connected()
    with _alone():
        packages = _packages(client, _base(client))
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder)
            _copy_project(context)
            name = f"{NAME}:{contract.rpartition('@')[2]}-{_digest(packages, contract, context, HERE / 'Dockerfile')}"
            if not _is_there(client, name):
                _drop_older(client, name)
                _built(client, context, HERE / "Dockerfile", name, PACKAGES=packages, CONTRACT=contract)
    return name


def connected() -> Any:
    """A client of the daemon; CannotBuild when there is none."""
    try:
        client = docker.from_env()
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise CannotBuild(f"no Docker is running; {HOW}") from error
    return client


def _base(client: Any) -> str:
    """A small Debian with Python in it."""
    name = f"contract-harness-base:{SUITE}"
    if _is_there(client, name):
        return name
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise CannotBuild(f"the base is made with debootstrap, as root; {HOW}")
    with tempfile.TemporaryDirectory() as folder:
        tree, packed = Path(folder, "tree"), Path(folder, "tree.tar")
        # Its files need no fsync: a tree that is cut short is thrown away.
        _run("debootstrap", "--variant=minbase", "--include=python3", SUITE, str(tree), MIRROR)
        _run("tar", "-C", str(tree), "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./usr/share/doc/*", "-cf", str(packed), ".")
        client.api.import_image_from_file(str(packed), repository=name.partition(":")[0], tag=SUITE)
    return name


def _packages(client: Any, base: str) -> str:
    """What the engine needs, in the versions that are installed here."""
    versions = sorted(f"{each.name}=={each.version}" for each in distributions() if each.name and each.name != "contract-harness")
    wanted = [needed.partition(";")[0].strip() for needed in requires("contract-harness") or () if _is_meant(needed)]
    name = f"contract-harness-packages:{_digest(base, *wanted, *_chosen(versions, wanted), HERE / 'packages.Dockerfile')}"
    if _is_there(client, name):
        return name
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints")
        constraints.write_text("\n".join(versions))
        into = Path(folder, "context", "packages")
        _run(
            sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(into), "--python-version", PYTHON,
            "--only-binary", ":all:", "--constraint", str(constraints), *wanted,
        )  # fmt: skip
        _built(client, into.parent, HERE / "packages.Dockerfile", name, BASE=base)
    return name


def _is_meant(requirement: str) -> bool:
    """Whether a requirement is one of the engine: of the package itself, or of its extra for Qdrant."""
    marker = requirement.partition(";")[2]
    return not marker or re.search(r"""extra == ['"]qdrant['"]""", marker) is not None


def _chosen(versions: list[str], wanted: list[str]) -> list[str]:
    names = {re.split(r"[<>=!~\[ ]", each)[0].lower() for each in wanted}
    return [version for version in versions if version.partition("==")[0].lower() in names]


def _copy_project(context: Path) -> None:
    """What runs in the container: the packages that are installed here, and the contracts."""
    leave = shutil.ignore_patterns("__pycache__", ".*_cache")
    installed = Path(harness.__file__).parents[1]
    shutil.copytree(installed / "harness", context / "harness", ignore=leave)
    shutil.copytree(ROOT / "contracts", context / "contracts", ignore=leave)
    shutil.copy(HERE / "serve", context / "serve")


def _built(client: Any, context: Path, dockerfile: Path, name: str, **arguments: str) -> None:
    shutil.copy(dockerfile, context / "Dockerfile")
    try:
        client.images.build(path=str(context), tag=name, buildargs=arguments, rm=True, forcerm=True)
    except (docker.errors.BuildError, docker.errors.APIError) as error:
        raise CannotBuild(f"{name} can't be built: {error}") from error


def _is_there(client: Any, name: str) -> bool:
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _drop_older(client: Any, name: str) -> None:
    """An engine of older code, as far as no container runs it."""
    kind = name.rpartition("-")[0]
    for tag in (tag for found in client.images.list(NAME) for tag in found.tags if tag.rpartition("-")[0] == kind):
        try:
            client.images.remove(tag)
        except docker.errors.APIError:
            continue


def _digest(*parts: str | Path) -> str:
    """The same for the same texts, files and folders."""
    found = hashlib.sha256()
    for part in parts:
        found.update(b"\0\0")
        for text in [part.encode()] if isinstance(part, str) else _contents(part):
            found.update(text)
    return found.hexdigest()[:12]


def _contents(path: Path) -> Iterable[bytes]:
    for file in [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file()):
        yield str(file.relative_to(path)).encode() + b"\0" + file.read_bytes() + b"\0"


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip()[-800:]
        raise CannotBuild(f"{Path(command[0]).name} failed: {said}")


@contextmanager
def _alone() -> Iterator[None]:
    """Two processes that want the image do not both build it."""
    with Path(tempfile.gettempdir(), "contract-harness-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        print(image(*sys.argv[1:2]))
    except CannotBuild as error:
        sys.exit(f"error: {error}")
