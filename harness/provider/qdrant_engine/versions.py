"""What differs between the versions of Qdrant that the embedded server can speak as."""

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One version's wire behaviour, as far as it differs from its neighbours'."""

    version: str
    query: bool  # points/query exists (1.10)
    facet: bool  # the facet endpoint exists (1.12)
    usage: bool  # the envelope carries "usage" (1.13)
    nulls: bool  # an absent payload or vector is sent as null (before 1.10)
    vectors_count: bool  # the collection info counts vectors (before 1.16)
    named_vector_kinds: bool  # gRPC sends vectors as dense, sparse or multi_dense (1.16), not as bare data
    insufficient_storage: bool  # a full disk has a status of its own (after 1.8)
    indexing_threshold_kb: int
    unauthorized_status: int
    no_key: str
    wrong_key: str


def profile(version: str) -> Profile:
    """The profile of a version such as "1.16.0", "v1.8" or "1.8.4"; ValueError for anything else."""
    found = _VERSION.match(version)
    if found is None:
        raise ValueError(f"{version!r} is not a version of Qdrant: write it like 1.16.0")
    major, minor, patch = int(found[1]), int(found[2]), int(found[3] or 0)
    if major != 1 or minor < 8:
        raise ValueError(f"the embedded server speaks Qdrant 1.8 and later, not {version}")
    named = minor >= 9  # before JWT there was one message for a missing and a wrong key
    return Profile(
        version=f"{major}.{minor}.{patch}",
        query=minor >= 10,
        facet=minor >= 12,
        usage=minor >= 13,
        nulls=minor < 10,
        vectors_count=minor < 16,
        named_vector_kinds=minor >= 16,
        insufficient_storage=minor > 8,
        indexing_threshold_kb=10_000 if minor >= 16 else 20_000,
        unauthorized_status=401 if named else 403,
        no_key="Must provide an API key or an Authorization bearer token" if named else "Invalid api-key",
        wrong_key="Invalid API key or JWT" if named else "Invalid api-key",
    )
