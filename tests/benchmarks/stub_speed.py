"""The stub, validating and synthesising, beside WireMock and Prism."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from tests.benchmarks.measure import Finding, Measure, Missing, Options
from tests.benchmarks.peers import lacking, prism, wiremock
from tests.benchmarks.processes import cpu_s, stub_of, wrk

SCRIPT = Path(__file__).with_name("embeddings.lua")
WARM_S = 6
TARGETS = {"WireMock": 1.0, "Prism": 4.0}


def findings(options: Options) -> Iterator[Finding]:
    """Throughput of one text per request, both ways that vectors are sent."""
    remedy = lacking(options.peers)
    if remedy:
        yield Missing(what="stub throughput", remedy=remedy)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "wiremock").mkdir()
        ours = stack.enter_context(stub_of("voyage_ai", credential="benchmark"))
        answers = {base64: _vector(ours[0], base64) for base64 in (False, True)}
        servers = {
            "ours": (*ours, "/v1/embeddings"),
            "WireMock": (*stack.enter_context(wiremock(options.peers, folder / "wiremock", answers)), "/v1/embeddings"),
            "Prism": (*stack.enter_context(prism(options.peers, folder)), "/embeddings"),
        }
        for base64 in (True, False):
            yield from _compared(servers, base64, options)


def _vector(origin: str, base64: bool) -> str:
    body = {"input": ["text 1"], "model": "voyage-code-3", **({"encoding_format": "base64"} if base64 else {})}
    headers = {"content-type": "application/json", "authorization": "Bearer benchmark"}
    with urlopen(Request(origin + "/v1/embeddings", json.dumps(body).encode(), headers), timeout=10) as answer:
        return json.dumps(json.load(answer)["data"][0]["embedding"], separators=(",", ":"))


def _compared(servers: dict[str, tuple[str, int, str]], base64: bool, options: Options) -> Iterator[Finding]:
    rates: defaultdict[str, list[float]] = defaultdict(list)
    per_cpu: defaultdict[str, list[float]] = defaultdict(list)
    seconds = 2 if options.quick else 4
    for name, (origin, _, path) in servers.items():
        _one(origin, path, base64, 2 if name == "ours" else WARM_S)
    for _ in range(options.rounds):
        for name, (origin, pid, path) in servers.items():
            before_s = cpu_s(pid)
            rate = _one(origin, path, base64, seconds)
            rates[name].append(rate)
            per_cpu[name].append(rate * seconds / max(cpu_s(pid) - before_s, 0.01))
    for name, target in TARGETS.items():
        yield Measure(
            what=f"stub, {'base64' if base64 else 'numbers'}, against {name}",
            ours=f"{median(rates['ours']):,.0f}/s",
            peer=f"{median(rates[name]):,.0f}/s",
            figure=median(mine / its for mine, its in zip(rates["ours"], rates[name], strict=True)),
            target=target,
            at_least=True,
            note=f"per CPU second {median(per_cpu['ours']):,.0f} against {median(per_cpu[name]):,.0f}",
        )


def _one(origin: str, path: str, base64: bool, seconds: int) -> float:
    return wrk(origin, SCRIPT, seconds=seconds, settings={"EMBED_PATH": path, "EMBED_BASE64": str(int(base64))})
