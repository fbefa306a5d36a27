"""The optional parts of this distribution: which library comes with which."""

_PART_OF = {
    "docker": "container",
    "google": "qdrant",
    "grpc": "qdrant",
    "hpack": "qdrant",
    "hyperframe": "qdrant",
    "hypothesis": "fuzz",
    "locust": "load",
    "pact": "pact",
    "qdrant_client": "qdrant",
    "qdrant_edge": "qdrant",
    "requests": "fuzz",
    "schemathesis": "fuzz",
    "testcontainers": "container",
    "vcr": "cassette",
}


def installed_by(module: str | None) -> str:
    """What installs a module that could not be imported, as a user types it."""
    part = _PART_OF.get((module or "").partition(".")[0])
    return f"pip install 'contract-harness[{part}]'" if part else "install it into this environment"
