"""The other stubs, from npm: WireMock with a templated answer behind a validated request, Prism on our OpenAPI."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.processes import HARNESS, ROOT, free_port, running

PACKAGES = ("wiremock@3.13.2", "@stoplight/prism-cli@5")
GET_THEM = "python -m tests.benchmarks --install-peers"


def install(folder: Path) -> None:
    """Fetch the packages into a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--prefix", str(folder), *PACKAGES], check=True)


def lacking(folder: Path) -> str:
    """How to get what is not there; nothing when all is."""
    programs = {"wrk": "apt-get install wrk", "java": "apt-get install default-jre-headless", "node": "apt-get install nodejs npm"}
    remedies = [remedy for program, remedy in programs.items() if shutil.which(program) is None]
    if wiremock_jar(folder) is None or not _prism(folder).exists():
        remedies.append(f"npm install wiremock @stoplight/prism-cli, by: {GET_THEM}")
    return "; ".join(remedies)


def wiremock_jar(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("node_modules/wiremock/build/wiremock-standalone-*.jar"))), None)


def _prism(folder: Path) -> Path:
    return folder / "node_modules/@stoplight/prism-cli/dist/index.js"


@contextmanager
def wiremock(folder: Path, work: Path, answers: dict[bool, str]) -> Iterator[tuple[str, int]]:
    """WireMock; ``answers`` are the vectors it puts in, as JSON, for requests in base64 and for others."""
    mappings = work / "mappings"
    mappings.mkdir()
    for base64, vector in answers.items():
        (mappings / f"embed-{base64}.json").write_text(json.dumps(_mapping(base64, vector)))
    port = free_port()
    options = ["--port", str(port), "--root-dir", str(work), "--no-request-journal", "--disable-banner"]
    with running(["java", "-jar", str(wiremock_jar(folder)), *options], port=port, cwd=work) as process:
        yield f"http://127.0.0.1:{port}", process.pid


def _mapping(base64: bool, vector: str) -> dict[str, object]:
    encoded = {"matchesJsonPath": {"expression": "$.encoding_format", **({"equalTo": "base64"} if base64 else {"absent": True})}}
    body = (
        '{"object":"list","data":[{"object":"embedding","index":0,"embedding":' + vector + '}],'
        '"model":"{{jsonPath request.body \'$.model\'}}","usage":{"total_tokens":{{size (jsonPath request.body \'$.input[0]\')}} } }'
    )
    return {
        "request": {
            "method": "POST",
            "urlPath": "/v1/embeddings",
            "headers": {"authorization": {"equalTo": "Bearer benchmark"}, "content-type": {"contains": "application/json"}},
            "bodyPatterns": [
                {"matchesJsonPath": {"expression": "$.model", "equalTo": "voyage-code-3"}},
                {"matchesJsonPath": "$.input[0]"},
                encoded,
            ],
        },
        "response": {
            "status": 200,
            "headers": {"content-type": "application/json"},
            "body": body,
            "transformers": ["response-template"],
        },
    }


@contextmanager
def prism(folder: Path, work: Path) -> Iterator[tuple[str, int]]:
    """Prism on what ``harness openapi voyage_ai`` prints."""
    document = work / "openapi.json"
    document.write_bytes(subprocess.run([*HARNESS, "openapi", "voyage_ai"], cwd=ROOT, check=True, capture_output=True).stdout)
    port = free_port()
    command = ["node", str(_prism(folder)), "mock", str(document), "--port", str(port), "--verboseLevel", "silent"]
    with running(command, port=port, cwd=work) as process:
        yield f"http://127.0.0.1:{port}", process.pid
