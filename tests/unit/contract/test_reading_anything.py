"""Whatever a contract file holds, reading it gives a contract or a contract error, and nothing else."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.contract.agreement import Agreement
from harness.contract.coherence import agree
from harness.contract.openapi import export
from harness.contract.problems import ContractError
from harness.contract.reader import parse_document

VOYAGE = Path(__file__).parents[3] / "contracts" / "voyage_ai.yaml"
SCRAPS = [
    *[
        "",
        "\t",
        "\n",
        " ",
        ":",
        ": ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "&a ",
        "*a",
        "!x ",
        "!!str ",
        "|",
        ">-\n",
        "'",
        '"',
        "\\",
        "%",
        "---\n",
        "\0",
    ],
    *[
        "null",
        "~",
        "true",
        "5",
        "-1",
        "1e999",
        ".inf",
        "60s",
        "0x",
        "200",
        "é",
        "\U0001f600",
        "\ufeff",
        "\u2028",
        "${X}",
        "<<: *a",
        "$ref",
        "#/schemas/",
    ],
    *[
        "size(",
        "request.body",
        "==",
        "x.all(i, ",
        "(" * 70,
        "[" * 70,
        "9" * 60,
        "a" * 200,
        "type: ",
        "items: ",
        "pattern: '('",
        "body:",
        "let:",
        "request:",
    ],
]
relaxed = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(data: bytes) -> Agreement | ContractError:
    """What reading gives; any other error is a failure of the test."""
    try:
        return agree(parse_document(data, file="shop.yaml"), path=Path("shop.yaml"))
    except ContractError as error:
        found = error
    last = data.count(b"\n") + data.count(b"\r") + data.count("\u2028".encode()) + 1
    assert found.problems
    assert all(problem.place.file == "shop.yaml" and 1 <= problem.place.line <= last + 1 for problem in found.problems)
    assert all(problem.message for problem in found.problems)
    return found


def mutilated(text: str, luck: random.Random, times: int) -> str:
    """The text after some accidents: cut, pasted, moved and scribbled on."""
    for _ in range(times):
        start = luck.randrange(len(text) + 1)
        end = min(len(text), start + luck.choice([0, 0, 1, 2, 5, 20, 80]))
        kind = luck.randrange(4)
        if kind == 0:
            text = text[:start] + luck.choice(SCRAPS) + text[end:]
        elif kind == 1:
            at = luck.randrange(len(text) + 1)
            text = text[:at] + text[start:end] + text[at:]
        else:
            lines = text.split("\n")
            chosen = luck.randrange(len(lines))
            other = luck.randrange(len(lines))
            lines[chosen] = lines[other] if kind == 2 else ""
            text = "\n".join(lines)
    return text


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a value."""
    yield at
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from places(child, (*at, step))


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 700),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(SCRAPS),
    st.text(max_size=20),
    st.just({}),
    st.just([]),
    st.dictionaries(
        st.sampled_from(["$ref", "type", "items", "body", "a", "200", "name"]),
        st.sampled_from(["#/schemas/Price", "string", 5, None]),
        max_size=3,
    ),
    st.lists(st.sampled_from([1, "a", None, {}]), max_size=3),
)


def rebuilt(value: Any, luck: random.Random, replacements: list[Any]) -> Any:
    """The value with some of its parts replaced, removed or renamed."""
    value = copy.deepcopy(value)
    for replacement in replacements:
        way = luck.choice([at for at in places(value) if at] or [()])
        if not way:
            return replacement
        parent = value
        for step in way[:-1]:
            parent = parent[step]
        kind = luck.randrange(4)
        if kind == 0 or isinstance(parent, list):
            parent[way[-1]] = replacement
        elif kind == 1:
            del parent[way[-1]]
        elif kind == 2:
            parent[str(way[-1])[:-1] + "x"] = parent.pop(way[-1])
        else:
            parent[luck.choice(["x", "body", "type", "$ref", str(replacement)[:10]])] = replacement
    return value


@relaxed
@given(luck=st.randoms(use_true_random=False), times=st.integers(1, 6))
def test_a_file_after_accidents(contract: str, luck: random.Random, times: int) -> None:
    read(mutilated(contract, luck, times).encode("utf-8", "replace"))


@relaxed
@given(luck=st.randoms(use_true_random=False), replacements=st.lists(ANYTHING, min_size=1, max_size=4))
def test_a_contract_with_other_parts(contract: str, luck: random.Random, replacements: list[Any]) -> None:
    value = parse_document(contract.encode(), file="shop.yaml").value
    found = read(json.dumps(rebuilt(value, luck, replacements)).encode())
    if isinstance(found, Agreement):
        json.dumps(export(found))
        assert all(clause.place.line >= 1 for clause in found.clauses.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(luck=st.randoms(use_true_random=False), times=st.integers(1, 4))
def test_a_large_contract_after_accidents(luck: random.Random, times: int) -> None:
    read(mutilated(VOYAGE.read_text("utf-8"), luck, times).encode("utf-8", "replace"))


@settings(max_examples=200, deadline=None)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
@example(data=b"")
def test_any_bytes(data: bytes) -> None:
    read(data)


def test_the_small_contract_is_read(contract: str) -> None:
    assert isinstance(read(contract.encode()), Agreement)


def test_every_part_in_turn_missing(contract: str) -> None:
    value = parse_document(contract.encode(), file="shop.yaml").value
    for way in [at for at in places(value) if at]:
        changed = copy.deepcopy(value)
        parent = changed
        for step in way[:-1]:
            parent = parent[step]
        del parent[way[-1]]
        read(json.dumps(changed).encode())


def test_every_part_in_turn_as_every_kind_of_value(contract: str) -> None:
    value = parse_document(contract.encode(), file="shop.yaml").value
    luck = random.Random(5)
    for way in [at for at in places(value) if at]:
        changed = copy.deepcopy(value)
        parent = changed
        for step in way[:-1]:
            parent = parent[step]
        parent[way[-1]] = luck.choice([None, 5, "x", True, [], {}, [{}], {"a": 1}, -1.5, "5s"])
        read(json.dumps(changed).encode())
