"""The honest client on `aiohttp`: asynchronous, and no httpx."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiohttp

from tests.miniatures.clients.blocking import PROBE
from tests.miniatures.clients.sound import Answer, Courier, Late, Lost, Send, Sleep, Vectors, Work


class Honest(Courier):
    """Sends with one `aiohttp.ClientSession`, made when it is first needed."""

    def __init__(self, *, base_url: str, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._http: aiohttp.ClientSession | None = None

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
        if self._http is not None:
            await self._http.close()

    async def send(self, send: Send) -> Answer:
        """The complete answer; Late or Lost when there is none."""
        if self._http is None:
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        timeout = aiohttp.ClientTimeout(total=send.timeout_s)
        try:
            async with self._http.post(
                self.base_url + send.path, data=send.body, headers=dict(send.headers), timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.read()
                return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
        except TimeoutError:
            raise Late from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _done(self, work: Work) -> Any:
        wanted, trouble, result = None, None, None
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

    def monitor(self, *, on_alert: Callable[[object], object]) -> "Watchman":
        return Watchman(self, on_alert)


class Watchman:
    """Asks for one vector every minute, in a task."""

    interval_s = 60.0

    def __init__(self, client: Honest, on_alert: Callable[[object], object]) -> None:
        self._client, self._on_alert = client, on_alert

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due_s, well = loop.time(), True
        while True:
            try:
                self._client._cache.clear()
                await self._client.embed(**PROBE)  # type: ignore[arg-type]  # both are what it takes
                well = True
            except Exception as error:
                if well:
                    self._on_alert(error)
                well = False
            due_s = max(due_s + self.interval_s, loop.time())
            await asyncio.sleep(due_s - loop.time())
