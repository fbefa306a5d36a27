"""Recording: what goes into a cassette, what never does, and when a file is touched at all."""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped]  # it ships no types

from adapters.voyage_ai import VoyageAI
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Level, Observation, Request, Response
from harness.provider.stub import Stub
from harness.provider.url import UrlProvider
from harness.suites.case import Setting
from harness.suites.cassette import SUITE
from harness.suites.cassette.deck import Deck, NotWritten, UnknownMode, label_now
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import Tape, read_tape
from harness.verdict import Outcome, Verdict
from harness.wire.server import Server, ThreadedServer

SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]
TODAY = date.today()
KEY = "pa-Zx81kQq7hQwErTyUiOp"
ONE = "rerank-best_two"
ROOT = Path(__file__).parents[3]


class Live:
    """A local server that plays the live provider: it counts what it is asked, and may lie."""

    def __init__(self, agreement: Agreement) -> None:
        self._stub = Stub(agreement, credential=KEY)
        self.asked: list[Request] = []
        self.lie: Callable[[Request, Response], Response] = lambda _, response: response

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        return self.lie(request, self._stub.answer_now(request))


class LiveProvider(UrlProvider):
    """Reached as the live one is, and as good as live."""

    def __init__(self, agreement: Agreement, *, base_url: str) -> None:
        super().__init__(agreement, base_url=base_url, credential=KEY)
        self.level = Level.LIVE


@pytest.fixture
def live(agreement: Agreement) -> Live:
    return Live(agreement)


@pytest.fixture
def provider(live: Live, agreement: Agreement) -> Iterator[LiveProvider]:
    with ThreadedServer(Server(answer=live.answer)) as server:
        yield LiveProvider(agreement, base_url=server.origin + agreement.base_path)


def file_of(setting: Setting, stem: str = ONE) -> Path:
    return setting.cassettes / f"{stem}.yaml"


def tape_of(setting: Setting, stem: str = ONE) -> Tape:
    return read_tape(file_of(setting, stem), shown_as=stem, secrets=Secrets((KEY,)))


@pytest.mark.parametrize("wire", ["httpx", "port"])
@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_what_the_client_sends_and_gets_is_recorded_with_its_label(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, mode: str, wire: str
) -> None:
    setting = setting_of(provider=provider, mode=mode, wire=wire)
    verdict = verdict_of(setting, f"{ONE}-replayed")
    assert (verdict.outcome, verdict.level, verdict.findings) == (Outcome.PASSED, Level.LIVE, ())
    tape = tape_of(setting)
    assert tape.label is not None
    assert (tape.label.against, tape.label.date, tape.label.contract) == ("live", TODAY, "voyage_ai v1")
    (exchange,) = tape.exchanges
    assert exchange.request.origin == "https://api.voyageai.com"
    assert exchange.request.target == "/v1/rerank"
    assert verdict_of(replace(setting, record_mode="none"), f"{ONE}-replayed").level is Level.RECORDED
    assert os.listdir(setting.cassettes) == [f"{ONE}.yaml"]


def test_every_example_without_a_cassette_is_recorded(
    setting_of: SettingOf, provider: LiveProvider, agreement: Agreement
) -> None:
    ids = {case.id for case in SUITE.cases(setting_of(provider=provider, mode="once"))}
    wanted = {
        f"cassette::{name}::{name}-{example}-replayed"
        for name, terms in agreement.operations.items()
        for example in terms.model.examples
    }
    assert ids == wanted


def test_without_a_mode_to_record_nothing_is_asked_and_nothing_written(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    setting = setting_of(provider=provider)
    assert verdict_of(setting, "rerank::none").outcome is Outcome.SKIPPED
    assert not live.asked
    assert not setting.cassettes.exists()


def recorded(setting: Setting, verdict_of: VerdictOf) -> bytes:
    verdict_of(replace(setting, record_mode="once"), f"{ONE}-replayed")
    return file_of(setting).read_bytes()


def test_once_is_once(setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live) -> None:
    setting = setting_of(provider=provider, mode="once")
    before = recorded(setting, verdict_of)
    live.asked.clear()
    assert verdict_of(setting, f"{ONE}-replayed").outcome is Outcome.PASSED
    assert not live.asked
    assert file_of(setting).read_bytes() == before


def test_new_episodes_are_added_and_the_known_ones_are_played(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    class SaysMore(VoyageAI):
        async def rerank(self, *args: Any, **options: Any) -> Any:
            await super().rerank(*args, **options)
            return await super().rerank(*args, **{**options, "top_k": 1})

    setting = setting_of(provider=provider)
    recorded(setting, verdict_of)
    live.asked.clear()
    curious = setting_of(provider=provider, client=SaysMore, mode="new_episodes")
    verdict_of(curious, f"{ONE}-replayed")
    assert [request.json()["top_k"] for request in live.asked] == [1]  # type: ignore[index]  # an object
    assert [exchange.request.json()["top_k"] for exchange in tape_of(setting).exchanges] == [2, 1]  # type: ignore[index]


def test_new_episodes_do_not_make_the_old_ones_younger(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    setting = setting_of(provider=provider)
    recorded(setting, verdict_of)
    today = TODAY.isoformat()
    old = file_of(setting).read_text().replace(today, "2020-01-01").replace('top_k":2', 'top_k":1')
    file_of(setting).write_text(old)

    class AsksForTwo(VoyageAI):
        async def rerank(self, *args: Any, **options: Any) -> Any:
            return await super().rerank(*args, **{**options, "top_k": 2})

    verdict_of(setting_of(provider=provider, client=AsksForTwo, mode="new_episodes"), f"{ONE}-replayed")
    tape = tape_of(setting)
    assert len(tape.exchanges) == 2
    assert tape.label is not None
    assert tape.label.date == date(2020, 1, 1)


def test_all_replaces_what_was_there(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    setting = setting_of(provider=provider, mode="all")
    before = recorded(setting, verdict_of)
    live.lie = lambda _, response: replace(
        response, body=response.body.replace(b'"total_tokens":', b'"total_tokens":1')
    )
    assert verdict_of(setting, f"{ONE}-replayed").outcome is Outcome.PASSED
    assert file_of(setting).read_bytes() != before
    assert len(tape_of(setting).exchanges) == 1


def test_a_recording_of_another_client_is_recorded_anew_with_ours(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live, shipped: Path
) -> None:
    setting = setting_of(provider=provider, mode="all")
    setting.cassettes.mkdir(parents=True)
    stem = "query-voyage-3.5-200"
    file_of(setting, stem).write_bytes((shipped / f"{stem}.yaml").read_bytes())
    assert verdict_of(setting, f"{stem}-replayed").outcome is Outcome.PASSED
    tape = tape_of(setting, stem)
    assert tape.label is not None
    assert tape.label.by == setting.binding.name
    assert tape.exchanges[0].request.json()["output_dimension"] == 1024  # type: ignore[index]  # an object


def test_a_real_recording_is_not_replaced_by_one_of_a_stub(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider
) -> None:
    setting = setting_of(provider=provider)
    before = recorded(setting, verdict_of)
    for mode in ("all", "new_episodes"):
        verdict = verdict_of(setting_of(mode=mode), f"{ONE}-replayed")
        assert verdict.outcome is Outcome.SKIPPED
        assert "worth less" in verdict.reason
    assert file_of(setting).read_bytes() == before


def test_a_key_that_is_refused_costs_no_recording(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    setting = setting_of(provider=provider, mode="all")
    before = recorded(setting, verdict_of)
    live.lie = lambda *_: Response(
        status=401, headers=(("content-type", "application/json"),), body=b'{"detail": "no"}'
    )
    verdict = verdict_of(setting, f"{ONE}-replayed")
    assert verdict.outcome in (Outcome.ERROR, Outcome.FAILED)
    assert file_of(setting).read_bytes() == before
    (case,) = [case for case in SUITE.cases(setting) if case.id.endswith(f"::{ONE}-replayed")]
    try:
        seen = case.execute()
    except NotWritten as error:
        told = str(error)
    else:
        assert isinstance(seen, Observation)
        told = seen.note
    assert "rerank was to end with status 200 and got status 401" in told


def test_a_provider_that_does_not_answer_costs_no_recording(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, agreement: Agreement
) -> None:
    class GivesUp(VoyageAI):
        """Does not repeat anything: here that would take its real time."""

        async def rerank(self, *args: Any, **options: Any) -> Any:
            self._endpoint.resilience.call = lambda attempt, **_: attempt()  # type: ignore[method-assign]  # once only
            return await super().rerank(*args, **options)

    setting = setting_of(provider=provider)
    before = recorded(setting, verdict_of)
    gone = LiveProvider(agreement, base_url="http://127.0.0.1:9/v1")
    assert (
        verdict_of(setting_of(provider=gone, client=GivesUp, mode="all"), f"{ONE}-replayed").outcome
        is not Outcome.PASSED
    )
    assert file_of(setting).read_bytes() == before


def test_a_client_that_sends_nothing_leaves_the_file_alone(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live, shipped: Path
) -> None:
    setting = setting_of(provider=provider, mode="all")
    setting.cassettes.mkdir(parents=True)
    stem = "unknown-model-400"
    file_of(setting, stem).write_bytes((shipped / f"{stem}.yaml").read_bytes())
    assert verdict_of(setting, f"{stem}-replayed").outcome is Outcome.PASSED
    assert not live.asked
    assert file_of(setting, stem).read_bytes() == (shipped / f"{stem}.yaml").read_bytes()


# Secrets


def echo(request: Request, response: Response) -> Response:
    """A provider that says the key in every way it can."""
    packed = base64.b64encode(f"user:{KEY}".encode()).decode()
    headers = (
        *response.headers,
        ("set-cookie", f"key={KEY}"),
        ("authorization", f"Bearer {KEY}"),
        ("date", KEY),
        ("x-you-sent", KEY),
    )
    model = f"rerank-2.5-lite {KEY} {packed} {KEY.upper()}"
    return replace(response, headers=headers, body=response.body.replace(b"close()", model.encode()))


def test_a_key_that_is_echoed_never_reaches_the_file(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    live.lie = echo
    setting = setting_of(provider=provider, mode="once")
    verdict_of(setting, f"{ONE}-replayed")
    text = file_of(setting).read_text()
    assert not Secrets((KEY,)).found_in(text)
    assert "CREDENTIAL-REMOVED" in text
    for name in ("authorization", "set-cookie", "x-you-sent"):
        assert name not in text.lower()
    assert live.asked[0].header("authorization") == f"Bearer {KEY}"


def test_what_can_not_be_cleaned_is_not_written(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    other = "sk-proj-abcdefghij1234567890ABCD"
    live.lie = lambda _, response: replace(response, body=response.body.replace(b"close()", other.encode()))
    setting = setting_of(provider=provider, mode="once")
    verdict = verdict_of(setting, f"{ONE}-replayed")
    assert not file_of(setting).exists()
    assert os.listdir(setting.cassettes) == []
    assert other not in verdict.reason


# One cassette in vcrpy's hands


def deck_of(agreement: Agreement, path: Path, tape: Tape | None, mode: str) -> Deck:
    return Deck(path, tape, mode=mode, agreement=agreement, secrets=Secrets((KEY,), frozenset({"authorization"})))


REQUEST = Request(
    method="POST", target="/v1/rerank", headers=(("content-type", "application/json"),), body=b'{"query": "q"}'
)
LIMITED = Response(
    status=429, headers=(("content-type", "application/json"), ("retry-after", "3")), body=b'{"detail": "slow down"}'
)
FINE = Response(status=200, headers=(("content-type", "application/json"),), body=b'{"data": []}')


def test_answers_are_played_in_their_order_and_the_last_one_again(agreement: Agreement, tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    deck = deck_of(agreement, path, None, "once")
    deck.record(REQUEST, LIMITED)
    deck.record(REQUEST, FINE)
    assert deck.save(label_now(agreement, against="live", by="me"))
    tape = read_tape(path, shown_as="two", secrets=Secrets())
    again = deck_of(agreement, path, tape, "none")
    assert not again.can_record
    assert [again.play(REQUEST) for _ in range(3)] == [LIMITED, FINE, FINE]
    assert again.play(replace(REQUEST, body=b"{}")) is None


def test_nothing_new_is_nothing_to_write(agreement: Agreement, tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert not deck_of(agreement, path, None, "all").save(label_now(agreement, against="live", by="me"))
    assert not path.exists()


def test_a_body_that_is_no_text_is_not_kept(agreement: Agreement, tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_text("old")
    deck = deck_of(agreement, path, None, "all")
    deck.record(REQUEST, replace(FINE, body=b"\xff\xfe"))
    with pytest.raises(NotWritten, match="is left as it was"):
        deck.save(label_now(agreement, against="live", by="me"))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["binary.yaml"]


def test_an_unknown_record_mode_says_which_there_are(agreement: Agreement, tmp_path: Path) -> None:
    with pytest.raises(UnknownMode, match="none, new_episodes, once, all"):
        deck_of(agreement, tmp_path / "x.yaml", None, "twice")


def test_vcrpy_alone_plays_what_was_recorded(
    setting_of: SettingOf, verdict_of: VerdictOf, provider: LiveProvider, live: Live
) -> None:
    setting = setting_of(provider=provider)
    recorded(setting, verdict_of)
    live.asked.clear()
    (exchange,) = tape_of(setting).exchanges
    with vcr.use_cassette(str(file_of(setting)), record_mode="none", match_on=["method", "uri", "body"]):
        answer = httpx.post(
            "https://api.voyageai.com/v1/rerank",
            content=exchange.request.body,
            headers={"content-type": "application/json"},
        )
    assert exchange.response is not None
    assert answer.json() == exchange.response.json()
    assert not live.asked


def test_the_label_of_a_shipped_cassette_survives_vcrpy(shipped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_bytes((shipped / "rerank-best_two.yaml").read_bytes())
    requests, responses, metadata = vcr.persisters.filesystem.FilesystemPersister.load_cassette(
        copy, vcr.serializers.yamlserializer
    )
    held = {"requests": requests, "responses": responses, "metadata": metadata}
    vcr.persisters.filesystem.FilesystemPersister.save_cassette(copy, held, vcr.serializers.yamlserializer)
    assert (
        read_tape(copy, shown_as="copy", secrets=Secrets()).label
        == read_tape(shipped / "rerank-best_two.yaml", shown_as="x", secrets=Secrets()).label
    )


def test_a_provider_that_remembers_is_brought_into_the_state_first_and_only_the_call_is_recorded(
    verdict_of: VerdictOf, tmp_path: Path
) -> None:
    shelf = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(f"{request.method} {request.target}")
        return stub.answer_now(request)

    stub = Stub(shelf, credential=KEY)
    with ThreadedServer(Server(answer=answer)) as server:
        provider = LiveProvider(shelf, base_url=server.origin)
        setting = Setting(
            agreement=shelf, binding=bind(shelf, None), provider=provider, root=tmp_path, record_mode="once"
        )
        assert verdict_of(setting, "count-all-replayed").outcome is Outcome.PASSED
        first, asked[:] = list(asked), []
        assert verdict_of(replace(setting, record_mode="all"), "count-all-replayed").outcome is Outcome.PASSED
    assert len(first) > 1
    assert asked == first
    assert setting.cassettes == tmp_path / "cassettes" / "qdrant" / "v1.16"
    tape = tape_of(setting, "count-all")
    assert tape.label is not None
    assert tape.label.given == "six points"
    assert [f"{exchange.request.method} {exchange.request.target}" for exchange in tape.exchanges] == first[-1:]
