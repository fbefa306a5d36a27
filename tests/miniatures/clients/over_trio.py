"""The honest client on `trio`, which has a loop of its own and knows nothing of asyncio."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import trio

from tests.miniatures.clients.blocking import PROBE
from tests.miniatures.clients.sound import Answer, Courier, Late, Lost, Send, Sleep, Vectors, Work


class Honest(Courier):
    """Sends with one `httpx.AsyncClient`, which finds trio by itself."""

    def __init__(self, *, base_url: str, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._http = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None), trust_env=False)

    async def embed(self, texts: Sequence[str], **options: Any) -> Vectors:
        found: Vectors = await self._done(self.embedding(texts, **options))
        return found

    async def embed_contextualized(self, inputs: Sequence[Any], **options: Any) -> list[Vectors]:
        found: list[Vectors] = await self._done(self.contextualizing(inputs, **options))
        return found

    async def rerank(self, query: str, documents: Sequence[str], **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._done(self.ranking(query, documents, **options))
        return found

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, send: Send) -> Answer:
        """The complete answer; Late or Lost when there is none."""
        try:
            with trio.fail_after(send.timeout_s):
                response = await self._http.post(self.base_url + send.path, content=send.body, headers=dict(send.headers))
        except trio.TooSlowError:
            raise Late from None
        except httpx.HTTPError as error:
            raise Lost from error
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def _done(self, work: Work) -> Any:
        trouble, result = None, None
        while True:
            try:
                wanted = work.throw(trouble) if trouble else work.send(result)
            except StopIteration as end:
                return end.value
            trouble = result = None
            if isinstance(wanted, Sleep):
                await self.sleep(wanted.seconds)
                continue
            try:
                result = await self.send(wanted)
            except (Late, Lost) as error:
                trouble = error

    @asynccontextmanager
    async def monitor(self, *, on_alert: Callable[[object], object]) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, on_alert)
            yield
            nursery.cancel_scope.cancel()

    async def _watch(self, on_alert: Callable[[object], object]) -> None:
        due_s, well = trio.current_time(), True
        while True:
            try:
                self._cache.clear()
                await self.embed(**PROBE)  # type: ignore[arg-type]  # both are what it takes
                well = True
            except Exception as error:
                if well:
                    on_alert(error)
                well = False
            due_s = max(due_s + 60, trio.current_time())
            await trio.sleep_until(due_s)


class InHaste(Honest):
    """Waits for half of what it should."""

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds / 2)


class Unhurried(Honest):
    """Waits ten minutes for an answer."""

    timeout_s, budget_s = 600.0, 1800.0


class Trusting(Honest):
    """Waits for an answer for ever."""

    async def send(self, send: Send) -> Answer:
        response = await self._http.post(self.base_url + send.path, content=send.body, headers=dict(send.headers))
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)
