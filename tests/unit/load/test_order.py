"""What is to be done comes from the contract and the command line; what can't be done is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.suites.load.order import Misuse, Order, announcement, locate, order_for, over_limit
from harness.suites.load.run import Part

CONTRACT = Path(__file__).parents[3] / "contracts" / "voyage_ai.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "voyage_ai.yaml").write_text(CONTRACT.read_text())
    return tmp_path


def test_the_only_contract_need_not_be_named(repository: Path) -> None:
    assert locate(None, repository).name == "voyage_ai"


def test_of_several_contracts_one_has_to_be_named(repository: Path) -> None:
    (repository / "contracts" / "other.yaml").write_text("")
    with pytest.raises(Misuse, match=r"which contract\? Give --contract and one of: other, voyage_ai"):
        locate(None, repository)
    assert locate("voyage_ai", repository).name == "voyage_ai"


def test_a_contract_can_be_given_as_a_file_where_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CONTRACT.read_text())
    assert locate(str(path), tmp_path).path == path


def test_smoke_is_the_profile_unless_another_is_named(voyage: Agreement) -> None:
    assert order_for(voyage).profile == "smoke"
    named = order_for(voyage, profile="sla")
    assert [named.rate_per_s * 60, named.duration_s] == pytest.approx([1000, 300])


def test_rate_and_duration_can_be_replaced(voyage: Agreement) -> None:
    order = order_for(voyage, rate="500/s", duration="30s", provider="http://127.0.0.1:1/v1")
    assert (order.rate_per_s, order.duration_s, order.provider) == (500, 30, "http://127.0.0.1:1/v1")


def test_the_live_provider_is_never_meant_unless_it_is_named(voyage: Agreement) -> None:
    provider = voyage.contract.provider.model_copy(update={"default": "live"})
    live = replace(voyage, contract=voyage.contract.model_copy(update={"provider": provider}))
    assert order_for(live).provider == "stub"
    assert order_for(live, provider="live").provider == "live"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"profile": "slo"}, "voyage_ai has no profile `slo`; there are: smoke, sla; did you mean `sla`?"),
        ({"rate": "500"}, "`500` is not a rate"),
        ({"duration": "0s"}, "`0s` is no time at all"),
    ],
)
def test_what_can_not_be_done_is_told(voyage: Agreement, arguments: dict[str, str], told: str) -> None:
    with pytest.raises(Misuse, match=told.replace("?", r"\?")):
        order_for(voyage, **arguments)  # type: ignore[arg-type]  # each is an option by its name


def test_a_contract_without_profiles_says_how_to_write_one(voyage: Agreement) -> None:
    bare = replace(voyage, contract=voyage.contract.model_copy(update={"load": {}}))
    with pytest.raises(Misuse, match="has no profiles: give it some, such as"):
        order_for(bare)


def test_an_order_can_be_sent_to_another_machine(voyage: Agreement) -> None:
    order = replace(order_for(voyage), streams=("a", "b"))
    copy = Order.of(order.plain())
    assert copy == order
    assert (copy.schedule(voyage).starts_s == order.schedule(voyage).starts_s).all()


def test_a_stream_sends_its_share_once(voyage: Agreement) -> None:
    part = Part(voyage, replace(order_for(voyage), streams=("a", "b")), credential="k")
    assert not part.claim("somebody else")
    assert part.claim("b")
    assert not part.claim("b")
    assert [number for number, _, _ in part.arrivals("b")] == list(range(1, 200, 2))


def test_a_part_knows_the_credential_and_shows_it_to_nobody_else(voyage: Agreement) -> None:
    part = Part(voyage, order_for(voyage), credential="k-secret")
    assert part.credential_header == {"authorization": "Bearer k-secret"}
    assert "k-secret" not in repr(part.order.plain()) + repr(part)


def test_what_is_sent_to_the_live_provider_is_announced_with_what_it_exceeds(voyage: Agreement) -> None:
    order = order_for(voyage, profile="sla").at("https://api.voyageai.com/v1")
    lines = list(announcement(voyage, order, order.schedule(voyage), level=Level.LIVE))
    assert lines[0] == "voyage_ai, profile sla: 5000 requests in 300 s (4000 embed, 500 rerank, 500 embed_contextualized) to https://api.voyageai.com/v1"
    assert "every request is real" in lines[1]
    assert "1000 requests in 60 s, where 300 are the most" in lines[2]
    assert len(list(announcement(voyage, order, order.schedule(voyage), level=Level.STUB))) == 1


def test_the_smoke_profile_stays_within_the_limits_of_a_client(voyage: Agreement) -> None:
    assert list(over_limit(voyage, order_for(voyage))) == []
