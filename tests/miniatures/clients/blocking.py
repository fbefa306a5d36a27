"""Drives an honest client that blocks, from as many threads as like to; a subclass says how a request is sent."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.miniatures.clients.sound import Answer, Courier, Late, Lost, Send, Sleep, Vectors, Wanted, Work

PROBE = {"texts": ["Hello, world!"], "model": "voyage-code-3"}


class Blocking(Courier):
    """A synchronous client."""

    def __init__(self, *, base_url: str, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], **options: Any) -> Vectors:
        found: Vectors = self._done(self.embedding(texts, **options))
        return found

    def embed_contextualized(self, inputs: Sequence[Any], **options: Any) -> list[Vectors]:
        found: list[Vectors] = self._done(self.contextualizing(inputs, **options))
        return found

    def rerank(self, query: str, documents: Sequence[str], **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._done(self.ranking(query, documents, **options))
        return found

    def send(self, send: Send) -> Answer:
        """The complete answer; Late or Lost when there is none."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _do(self, wanted: Wanted) -> Answer | None:
        if isinstance(wanted, Sleep):
            self.sleep(wanted.seconds)
            return None
        return self.send(wanted)

    def _done(self, work: Work) -> Any:
        go: Callable[[], Wanted] = lambda: next(work)
        while True:
            try:
                with self._lock:
                    wanted = go()
            except StopIteration as end:
                return end.value
            try:
                result = self._do(wanted)
                go = lambda result=result: work.send(result)  # type: ignore[misc]
            except (Late, Lost) as trouble:
                go = lambda trouble=trouble: work.throw(trouble)  # type: ignore[misc]

    def monitor(self, *, on_alert: Callable[[object], object]) -> "Watchman":
        return Watchman(self, on_alert)


class Watchman:
    """Asks for one vector every minute, in a thread of its own."""

    interval_s = 60.0

    def __init__(self, client: Blocking, on_alert: Callable[[object], object]) -> None:
        self._client, self._on_alert = client, on_alert
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        due_s, well = time.monotonic(), True
        while not self._over.is_set():
            try:
                self._client._cache.clear()
                self._client.embed(**PROBE)  # type: ignore[arg-type]  # both are what it takes
                well = True
            except Exception as error:
                if well:
                    self._on_alert(error)
                well = False
            due_s = max(due_s + self.interval_s, time.monotonic())
            self._over.wait(due_s - time.monotonic())
