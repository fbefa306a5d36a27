"""The text of an expression: its bounds and brackets, with strings and comments out of the parser's way."""

import re
from dataclasses import dataclass

from harness.contract.expressions.errors import ExpressionError

MAX_LENGTH = 10_000
MAX_BRACKETS = 64

_CLOSES = {")": "(", "]": "[", "}": "{"}
_PIECE = re.compile(
    r"""(?P<comment>//[^\n\r]*)
      | (?P<prefix>[bB][rR]?|[rR])?(?P<quote>\"\"\"|'''|"|')
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<space>[ \t\r\n\f]+)
      | .""",
    re.VERBOSE | re.DOTALL,
)
# Possessive, so that no text, closed or not, makes the scan look at a character twice.
_REST = {
    (quote, raw): re.compile(body + quote, re.DOTALL)
    for quote in ('"', "'")
    for raw, body in ((False, rf"(?:[^{quote}\\\n\r]|\\[^\n\r])*+"), (True, rf"[^{quote}\n\r]*+"))
} | {
    (quote * 3, raw): re.compile(body + quote * 3, re.DOTALL)
    for quote in ('"', "'")
    for raw, body in (
        (False, rf"(?:[^{quote}\\]|\\.|{quote}(?!{quote}{quote}))*+"),
        (True, rf"(?:[^{quote}]|{quote}(?!{quote}{quote}))*+"),
    )
}
_ESCAPE = re.compile(
    r"""\\(?: (?P<named>[abfnrtv\\?"'`]) | [xX](?P<byte>[0-9a-fA-F]{2}) | (?P<octal>[0-3][0-7]{2})
          | (?:u(?P<short>[0-9a-fA-F]{4}) | U(?P<long>[0-9a-fA-F]{8})) | )""",
    re.VERBOSE,
)
_NAMED = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """``masked`` is as long as the source, on one line, each string blanked; ``strings`` by their offset.

    True and false are masked as strings too, because the parser loses the place of these two words.
    """

    masked: str
    strings: dict[int, str | bytes | bool]


def scan(source: str) -> Scan:
    """Check the bounds, brackets and strings of an expression; ExpressionError at the first that is wrong."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(source)} characters; {MAX_LENGTH} are allowed",
            column=MAX_LENGTH + 1,
            hint="name parts of it under `let:`",
        )
    return _Scanner(source).scan()


class _Scanner:
    """Walks once over an expression, piece by piece."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.masked: list[str] = []
        self.strings: dict[int, str | bytes | bool] = {}
        self.brackets: list[int] = []
        self.literals: set[int] = set()  # brackets that open a list or a map
        self.string_end = -1
        self.before, self.before_at = "", 0  # what was last, but for blanks, and where in ``masked``

    def scan(self) -> Scan:
        at = 0
        while at < len(self.source):
            piece = _PIECE.match(self.source, at)
            assert piece is not None  # the last alternative takes any character
            at = self._take(piece)
        if self.brackets:
            opened = self.brackets[-1]
            raise ExpressionError(f"`{self.source[opened]}` is never closed", column=opened + 1)
        return Scan(masked="".join(self.masked), strings=self.strings)

    def _take(self, piece: re.Match[str]) -> int:
        if piece["quote"]:
            return self._string(piece)
        if piece["word"] in ("true", "false"):
            return self._masked(piece.start(), piece.end(), piece["word"] == "true")
        if piece["open"]:
            self._open(piece.start())
        elif piece["close"]:
            self._close(piece.start())
        blank = piece["comment"] or piece["space"]
        self.masked.append(" " * len(blank) if blank else piece[0])
        if not blank:
            self.before, self.before_at = piece[0], len(self.masked) - 1
        return piece.end()

    def _open(self, at: int) -> None:
        self.brackets.append(at)
        if self.source[at] in "[{" and not re.fullmatch(r"(?!in$)\w+|[)\]}\"]", self.before):
            self.literals.add(at)
        if len(self.brackets) > MAX_BRACKETS:
            raise ExpressionError(f"brackets are nested more than {MAX_BRACKETS} deep", column=at + 1)

    def _close(self, at: int) -> None:
        closing = self.source[at]
        if not self.brackets:
            raise ExpressionError(f"`{closing}` closes nothing", column=at + 1)
        start = self.brackets.pop()
        if self.source[start] != _CLOSES[closing]:
            raise ExpressionError(f"`{closing}` can't close `{self.source[start]}`", column=at + 1)
        if self.before == "," and start in self.literals:
            self.masked[self.before_at] = " "  # CEL allows a last comma, the parser does not

    def _string(self, piece: re.Match[str]) -> int:
        start, prefix, quote = piece.start(), (piece["prefix"] or "").lower(), piece["quote"]
        rest = _REST[quote, "r" in prefix].match(self.source, piece.end())
        if rest is None:
            raise ExpressionError("the string is never closed", column=start + 1)
        text = self.source[piece.end() : rest.end() - len(quote)]
        return self._masked(start, rest.end(), _decode(text, prefix, piece.end()))

    def _masked(self, start: int, end: int, value: str | bytes | bool) -> int:
        if start == self.string_end:
            raise ExpressionError("two values side by side", column=start + 1, hint="join strings with `+`")
        self.strings[start] = value
        self.masked.append(f'"{"_" * (end - start - 2)}"')
        self.string_end, self.before = end, '"'
        return end


def _decode(text: str, prefix: str, offset: int) -> str | bytes:
    binary = "b" in prefix
    if "r" in prefix:
        return text.encode() if binary else text
    parts: list[str | bytes] = []
    done = 0
    for escape in _ESCAPE.finditer(text):
        parts += [text[done : escape.start()], _unescaped(escape, binary, offset)]
        done = escape.end()
    parts.append(text[done:])
    if binary:
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return "".join(part for part in parts if isinstance(part, str))


def _unescaped(escape: re.Match[str], binary: bool, offset: int) -> str | bytes:
    column = offset + escape.start() + 1
    if named := escape["named"]:
        return _NAMED.get(named, named)
    if (digits := escape["byte"]) or escape["octal"]:
        number = int(digits, 16) if digits else int(escape["octal"], 8)
        return bytes([number]) if binary else chr(number)
    code = escape["short"] or escape["long"]
    if not code or binary:
        raise ExpressionError("no such escape", column=column, hint="write `\\\\` for a backslash")
    number = int(code, 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise ExpressionError(f"`{escape[0]}` is no character", column=column)
    return chr(number)
