"""What was made up once is read back, as long as all that decided it is the same."""

import json
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Request
from harness.suites.fuzz.drawn import Drawn
from harness.suites.fuzz.generated import Generator, Mode

ODD = Request(method="POST", target="/x?a=%00", headers=(("content-type", "text/plain"), ("x", "é")), body=b"\x00\xff")


def drawn(folder: Path, *, decided_by: object = "this", made_by: Path = Path(__file__)) -> Drawn:
    return Drawn(folder=folder, contract="shop", decided_by=decided_by, made_by=made_by)


def never() -> list[Request]:
    raise AssertionError("was drawn again")


def test_what_was_drawn_is_not_drawn_again(tmp_path: Path) -> None:
    assert drawn(tmp_path).requests("find-positive-1", lambda: [ODD]) == [ODD]
    assert drawn(tmp_path).requests("find-positive-1", never) == [ODD]


def test_that_nothing_was_found_is_kept_too(tmp_path: Path) -> None:
    assert drawn(tmp_path).requests("find-negative-1", list) == []
    assert drawn(tmp_path).requests("find-negative-1", never) == []


def test_what_decides_it_or_draws_it_having_changed_it_is_drawn_anew_and_the_old_is_gone(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("before")
    kept = tmp_path / "drawn"
    drawn(kept, made_by=code).requests("find-positive-1", list)
    assert drawn(kept, made_by=code, decided_by="that").requests("find-positive-1", lambda: [ODD]) == [ODD]
    code.write_text("after")
    assert drawn(kept, made_by=code, decided_by="that").requests("find-positive-1", list) == []
    assert len(list((kept / "shop").iterdir())) == 1


@pytest.mark.parametrize("spoilt", ["", "[", "{}x", "[1]", '[{"method": "GET"}]', '[{"method": "GET", "target": "/", "headers": [], "body": "?"}]'])
def test_what_cannot_be_read_is_drawn_anew(spoilt: str, tmp_path: Path) -> None:
    drawn(tmp_path).requests("find-positive-1", list)
    [file] = tmp_path.rglob("*.json")
    file.write_text(spoilt)
    assert drawn(tmp_path).requests("find-positive-1", lambda: [ODD]) == [ODD]
    assert len(json.loads(file.read_text())) == 1


def test_where_nothing_can_be_kept_it_is_drawn_each_time(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    assert drawn(taken).requests("find-positive-1", lambda: [ODD]) == [ODD]
    assert drawn(taken).requests("find-positive-1", lambda: [ODD, ODD]) == [ODD, ODD]


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_what_is_kept_of_a_contract_is_what_is_drawn(mode: Mode, voyage: Agreement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Generator(voyage, 0, tmp_path).requests("rerank", mode, 5)
    assert first == Generator(voyage, 0).requests("rerank", mode, 5)
    assert Generator(voyage, 1, tmp_path / "other").requests("rerank", mode, 5) != first
    monkeypatch.setattr(Generator, "_drawn", lambda *_: never())
    assert Generator(voyage, 0, tmp_path).requests("rerank", mode, 5) == first
    with pytest.raises(AssertionError, match="drawn again"):
        Generator(voyage, 1, tmp_path).requests("rerank", mode, 5)
