"""The Voyage AI client beside bare httpx and beside the official client, on the same stub."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median

import httpx

from adapters.voyage_ai import VoyageAI
from tests.benchmarks.measure import Finding, Measure, Missing, Options
from tests.benchmarks.processes import stub_of

CREDENTIAL = "benchmark"
CALLS = 250  # the contract's rate limit lets one client make 300 in a minute
TEXTS = 1000


def findings(options: Options) -> Iterator[Finding]:
    """What one call costs over a bare one, and how long a thousand texts take."""
    with stub_of("voyage_ai", credential=CREDENTIAL) as (origin, _):
        yield asyncio.run(_overhead(origin, 2 if options.quick else options.rounds))
        yield asyncio.run(_thousand(origin, options.rounds))


async def _overhead(origin: str, rounds: int) -> Finding:
    rows = [await _round(origin, number) for number in range(rounds)]
    bare_s, ours_s = median(bare for bare, _ in rows), median(ours for _, ours in rows)
    return Measure(
        what="client, one text, over bare httpx",
        ours=f"{ours_s * 1e3:.3f} ms",
        peer=f"{bare_s * 1e3:.3f} ms",
        figure=100 * (median(ours / bare for bare, ours in rows) - 1),
        target=10.0,
        unit="%",
    )


async def _round(origin: str, number: int) -> tuple[float, float]:
    """The median seconds of a bare call and of ours, one after the other so that both see the same machine."""
    headers = {"authorization": f"Bearer {CREDENTIAL}"}
    rest = {"model": "voyage-code-3", "output_dimension": 2048, "encoding_format": "base64"}
    bare_s: list[float] = []
    ours_s: list[float] = []
    async with httpx.AsyncClient() as http, VoyageAI(base_url=f"{origin}/v1", credential=CREDENTIAL) as client:

        async def bare(text: str) -> object:
            answer = await http.post(f"{origin}/v1/embeddings", json={"input": [text], **rest}, headers=headers)
            return answer.json()

        async def ours(text: str) -> object:
            return await client.embed([text])

        for call in range(CALLS):
            pairs = [(bare, bare_s), (ours, ours_s)]
            for way, taken in pairs if call % 2 else reversed(pairs):
                taken.append(await _timed(lambda way=way, call=call: way(f"text {number} {call}")))
    return median(bare_s[10:]), median(ours_s[10:])


async def _timed(action: Callable[[], Awaitable[object]]) -> float:
    started_s = time.perf_counter()
    await action()
    return time.perf_counter() - started_s


async def _thousand(origin: str, rounds: int) -> Finding:
    what = f"client, {TEXTS} texts of 1024 dimensions, against voyageai"
    try:
        import voyageai
    except ImportError:
        return Missing(what=what, remedy="pip install voyageai")
    official = voyageai.AsyncClient(api_key=CREDENTIAL, base_url=f"{origin}/v1")
    rows: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        texts = [f"text {number} {each}" for each in range(TEXTS)]
        async with VoyageAI(base_url=f"{origin}/v1", credential=CREDENTIAL) as client:
            its_s = await _timed(lambda texts=texts: official.embed(texts, model="voyage-code-3", output_dimension=1024))
            ours_s = await _timed(lambda texts=texts, client=client: client.embed(texts, model="voyage-code-3", output_dimension=1024))
        rows.append((its_s, ours_s))
    del rows[0]  # the first one loads and compiles
    return Measure(
        what=what,
        ours=f"{median(ours for _, ours in rows) * 1e3:.0f} ms",
        peer=f"{median(its for its, _ in rows) * 1e3:.0f} ms",
        figure=median(ours / its for its, ours in rows),
        target=0.7,
    )
