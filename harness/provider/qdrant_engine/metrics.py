"""What /metrics tells, in Prometheus' text format, under the names that Qdrant uses."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from harness.provider.qdrant_engine.versions import Profile

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Timing:
    count: int = 0
    failed: int = 0
    total_s: float = 0.0
    least_s: float = float("inf")
    most_s: float = 0.0

    def add(self, seconds: float, failed: bool) -> None:
        self.count += 1
        self.failed += failed
        self.total_s += seconds
        self.least_s = min(self.least_s, seconds)
        self.most_s = max(self.most_s, seconds)


class Metrics:
    """Counts and durations of what was answered."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._seen: dict[str, dict[Labels, _Timing]] = {"rest": {}, "grpc": {}}

    def rest(self, *, method: str, endpoint: str, status: int, seconds: float) -> None:
        labels = (("method", method), ("endpoint", endpoint), ("status", str(status)))
        self._add("rest", labels, seconds, status >= 500)

    def grpc(self, *, endpoint: str, code: str, seconds: float) -> None:
        labels = (("endpoint", endpoint), ("status", code))
        self._add("grpc", labels, seconds, code in ("INTERNAL", "UNKNOWN"))

    def text(self, *, profile: Profile, collections: int, vectors: int) -> str:
        lines = [
            *_family("app_info", "information about qdrant server", "gauge"),
            f'app_info{{name="qdrant",version="{profile.version}"}} 1',
            *_family("cluster_enabled", "is cluster support enabled", "gauge"),
            "cluster_enabled 0",
            *_family("collections_total", "number of collections", "gauge"),
            f"collections_total {collections}",
            *_family("collections_vector_total", "total number of vectors in all collections", "gauge"),
            f"collections_vector_total {vectors}",
        ]
        with self._turn:
            for face, seen in self._seen.items():
                if seen:
                    lines += _responses(face, seen)
        return "\n".join(lines) + "\n"

    def _add(self, face: str, labels: Labels, seconds: float, failed: bool) -> None:
        with self._turn:
            timing = self._seen[face].get(labels)
            if timing is None:
                timing = self._seen[face][labels] = _Timing()
            timing.add(seconds, failed)


def _family(name: str, meaning: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def _responses(face: str, seen: dict[Labels, _Timing]) -> Iterator[str]:
    columns = (
        (f"{face}_responses_total", "total number of responses", "counter", lambda t: t.count),
        (f"{face}_responses_fail_total", "total number of failed responses", "counter", lambda t: t.failed),
        (f"{face}_responses_avg_duration_seconds", "average response duration", "gauge", _average),
        (f"{face}_responses_min_duration_seconds", "minimum response duration", "gauge", lambda t: t.least_s),
        (f"{face}_responses_max_duration_seconds", "maximum response duration", "gauge", lambda t: t.most_s),
    )
    for name, meaning, kind, value in columns:
        yield from _family(name, meaning, kind)
        for labels, timing in seen.items():
            shown = ",".join(f'{label}="{entry}"' for label, entry in labels)
            yield f"{name}{{{shown}}} {value(timing)}"


def _average(timing: _Timing) -> float:
    return timing.total_s / timing.count
