"""The reader: values as YAML 1.2 means them, every problem with its place, and no file that can hurt."""

import os
from pathlib import Path

import pytest

from harness.contract.problems import ContractError, Problem
from harness.contract.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, parse_document, read_document


def value(text: str) -> object:
    return parse_document(text.encode(), file="f.yaml").value


def problems(data: bytes) -> tuple[Problem, ...]:
    with pytest.raises(ContractError) as caught:
        parse_document(data, file="f.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("-3", -3),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-11-20", "2026-11-20"),
        ("60s", "60s"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("! 5", 5),
        ("18446744073709551615", 2**64 - 1),
        ("0.1234567890123456789012345678901234567890123456789", 0.12345678901234568),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, meant: object) -> None:
    assert value(f"a: {text}") == {"a": meant}


def test_keys_are_text_whatever_they_look_like() -> None:
    assert value("200: a\non: b\ntrue: c\n1.0: d\n~: e") == {"200": "a", "on": "b", "true": "c", "1.0": "d", "~": "e"}


def test_places_are_those_of_values_and_of_keys() -> None:
    document = parse_document(b"a:\n  - x\n  - {b: 1, c: [2]}\n", file="f.yaml")
    assert str(document.place(("a", 1, "c", 0))) == "f.yaml:3:16"
    assert str(document.key_place(("a", 1, "c"))) == "f.yaml:3:12"
    assert str(document.place(("a", 7, "nowhere"))) == "f.yaml:2:3"
    assert str(document.place(("other",))) == "f.yaml:1:1"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_a_line_is_a_line_however_it_ends(end: str) -> None:
    data = f"a: 1{end}b:{end}  c: 2{end}".encode()
    document = parse_document(data, file="f.yaml")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert document.place(("b", "c")).line == 3
    assert document.lines[2].strip() == "c: 2"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1", file="f.yaml").value == {"a": 1}


def test_aliases_are_expanded() -> None:
    assert value("a: &x {b: [1]}\nc: *x\nd: [*x]") == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        (b"a: 1\na: 2", "2:1", "`a` stands twice; first in line 1"),
        (b"a:\n  b: 1\n  c: 2\n  b: 3", "4:3", "`b` stands twice; first in line 2"),
        (b"a: !!python/object/apply:os.system [ls]", "1:4", "has the tag `tag:yaml.org,2002:python/object/apply:os.system`"),
        (b"a: !!binary aGk=", "1:4", "has the tag"),
        (b"a: !!int '3'", "1:4", "has the tag"),
        (b"a: !env SECRET", "1:4", "has the tag `!env`"),
        (b"? [a]\n: 1", "1:3", "a key is a list or a mapping"),
        (b"{{a: 1}: 2}", "1:2", "a key is a list or a mapping"),
        (b"a: &x b\n*x : c", "2:1", "a key is an alias"),
        (b"a: &x {b: 1}\nc: {<<: *x}", "2:5", "merges another mapping"),
        (b"a: *x", "1:4", "the alias `*x` names nothing before it"),
        (b"a: &x [*x]", "1:8", "an alias can't contain itself"),
        (b"a: 1\n---\nb: 2", "2:1", "holds a second document"),
        (b"a: 1\n...\nb: 2", "3:1", "one document a file"),
        (b"a:\n\tb: 1", "2:1", "indent with spaces"),
        (b"a: b: c", "1:5", "put text that holds `: ` between quotes"),
        (b"a: {b: 1", "2:1", "a `{` is not closed"),
        (b"a: [1, 2", "2:1", "a `[` is not closed"),
        (b"a: 'b", "1:6", "a quote is not closed"),
        (b"a: @x", "1:4", "put text that begins with a sign between quotes"),
        (b"a:\n  b: 1\n c: 2", "3:2", "look at the indentation"),
        (b"ok: \xc3\xa9\nb: x\x07y", "2:5", "the control character 0x07"),
        (b"a: \0", "1:4", "the control character 0x00"),
        (b"a: \xff", "1:1", "is not UTF-8 text"),
        ("a: 1".encode("utf-16"), "1:1", "is not UTF-8 text"),
        (b"a: 1\nb: 2\nc: \xff", "3:1", "is not UTF-8 text"),
        (b'a: "\\ud800"', "1:7", "is not YAML"),
        (b"%YAML 9.9\n---\na: 1", "1:1", "is not YAML"),
        (b"a: 18446744073709551616", "1:4", "is a number that JSON can't carry"),
        (b"a: -9223372036854775809", "1:4", "is a number that JSON can't carry"),
        (b"a: " + b"9" * 5000, "1:4", "is a number that JSON can't carry"),
        (b"a: 1e999", "1:4", "is a number that JSON can't carry"),
        (b"a: -.inf", "1:4", "is a number that JSON can't carry"),
        (b"a: .NaN", "1:4", "is a number that JSON can't carry"),
    ],
)
def test_what_is_not_a_plain_document_is_refused_where_it_stands(data: bytes, place: str, said: str) -> None:
    found = problems(data)
    assert [problem for problem in found if str(problem).startswith(f"f.yaml:{place}: ") and said in str(problem)], found


def test_all_problems_are_said_at_once() -> None:
    found = problems(b"a: !x 1\nb: *no\na: 2\nc: .inf")
    assert [problem.place.line for problem in found] == [1, 2, 3, 4]


ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
DEEP_BY_ALIASES = f"a0: &a0 {'[' * 40}{']' * 40}\n" + "".join(f"a{n}: &a{n} {'[' * 40}*a{n - 1}{']' * 40}\n" for n in range(1, 300))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ALIAS_BOMB.encode(), f"at most {MAX_NODES} values, aliases expanded"),
        (b"[" + b"1," * (MAX_NODES + 1) + b"]", f"at most {MAX_NODES} values"),
        (b"[" * 100_000, f"at most {MAX_DEPTH} levels"),
        (b"{a: " * 100_000, f"at most {MAX_DEPTH} levels"),
        (b"- " * 100_000, f"at most {MAX_DEPTH} levels"),
        (b"".join(b" " * n + b"a:\n" for n in range(1_000)), f"at most {MAX_DEPTH} levels"),
        (DEEP_BY_ALIASES.encode(), f"at most {MAX_DEPTH} levels, aliases expanded"),
        (b"a" * (MAX_BYTES + 1), f"at most {MAX_BYTES} bytes"),
        (b"k: 1\n" * 5_000, "there are too many problems to go on"),
    ],
    ids=["alias bomb", "many", "lists", "mappings", "dashes", "block", "deep by aliases", "long", "duplicates"],
)
def test_hostile_input_is_stopped_early(data: bytes, said: str) -> None:
    found = problems(data)
    assert len(found) <= MAX_PROBLEMS + 1
    assert said in str(found[-1]) or any(said in str(problem) for problem in found)


@pytest.mark.parametrize("data", [b": " * 100_000, b"? " * 100_000, b'a: "' + b"\n" * 500_000, b"!" * 100_000, b"&a " * 50_000, b"%" * 9])
def test_nonsense_is_a_contract_error_and_nothing_else(data: bytes) -> None:
    assert problems(data)


@pytest.mark.parametrize("data", [b"", b"# only a comment\n", b"---\n", b"\n\n"])
def test_an_empty_file_has_no_value(data: bytes) -> None:
    assert parse_document(data, file="f.yaml").value is None


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"none\.yaml:1:1: can't be read: No such file"):
        read_document(tmp_path / "none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="is no file"):
        read_document(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ContractError, match="is no file"):
        read_document(tmp_path / "pipe.yaml")


def test_a_device_that_never_ends_is_not_read() -> None:
    with pytest.raises(ContractError, match="is no file"):
        read_document(Path("/dev/zero"))


def test_a_path_that_no_system_knows_is_a_contract_error() -> None:
    with pytest.raises(ContractError, match="can't be read"):
        read_document(Path("a\0b.yaml"))


def test_problems_name_the_file_as_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "shop.yaml"
    path.parent.mkdir()
    path.write_text("a: 1\na: 2\n")
    with pytest.raises(ContractError, match=r"^contracts/shop\.yaml:2:1: "):
        read_document(path, shown_as="contracts/shop.yaml")
