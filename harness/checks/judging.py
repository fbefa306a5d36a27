"""What every check builds its judgements with: the clause's place, the request as curl, short values."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Observation, Request
from harness.verdict import Finding, Judgement

MOST_SHOWN = 160


class Told:
    """A sentence with values in it, only written out for a finding: nearly all is kept, and then nobody reads it."""

    __slots__ = ("_most", "_sentence", "_values")

    def __init__(self, sentence: str, *values: object, most: int = MOST_SHOWN) -> None:
        self._sentence, self._values, self._most = sentence, values, most

    def __str__(self) -> str:
        return self._sentence.format(*(shown(value, most=self._most) for value in self._values))


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Words judgements for one check over one observation."""

    agreement: Agreement
    observation: Observation
    check: str

    def kept(self, clause: str) -> Iterator[Judgement]:
        """The clause was seen kept; nothing when the contract has no such clause."""
        if clause in self.agreement.clauses:
            yield _kept(clause, self.check)

    def broken(
        self, clause: str, *, expected: str, actual: str, exchange: Exchange | None = None, pointer: str = "", hint: str = ""
    ) -> Judgement:
        """The clause was seen broken; one that the file does not spell out goes to the nearest that it does."""
        known = self.nearest(clause)
        finding = Finding(
            clause=known,
            place=str(self.agreement.place(known)),
            check=self.check,
            expected=expected,
            actual=self.redacted(actual),
            pointer=pointer,
            curl=self.redacted(_asked(self.agreement, exchange)) if exchange else "",
            seed=self.observation.seed,
            hint=hint,
        )
        return Judgement(clause=known, check=self.check, finding=finding)

    def undecided(self, clause: str, *, why: str) -> Judgement:
        """What was seen does not tell whether the clause was kept."""
        return Judgement(clause=clause, check=self.check, doubt=self.redacted(why))

    def expect(
        self, clause: str, holds: bool, *, expected: str | Told, actual: str | Told, exchange: Exchange | None = None
    ) -> Iterator[Judgement]:
        """Kept when ``holds``, else broken; nothing when the contract does not promise it."""
        if clause not in self.agreement.clauses:
            return
        if holds:
            yield from self.kept(clause)
        else:
            yield self.broken(clause, expected=str(expected), actual=str(actual), exchange=exchange)

    def nearest(self, clause: str) -> str:
        steps = clause.split(".")
        while len(steps) > 1 and ".".join(steps) not in self.agreement.clauses:
            steps.pop()
        shorter = ".".join(steps)
        return shorter if shorter in self.agreement.clauses else clause

    def redacted(self, text: str) -> str:
        """``text`` without the credentials in use: a finding is read by more people than a key may be."""
        for secret in self.observation.secrets:
            text = text.replace(secret, "[credential]")
        return text


@lru_cache(maxsize=16_384)
def _kept(clause: str, check: str) -> Judgement:
    """One object for all the times that a check sees a clause kept."""
    return Judgement(clause=clause, check=check)


def _asked(agreement: Agreement, exchange: Exchange) -> str:
    """The request as a command line; of a call over gRPC, what it would be over REST."""
    line = curl(agreement, exchange.request)
    return f"{line}  # it went over gRPC, to {exchange.rpc.method}" if exchange.rpc else line


def curl(agreement: Agreement, request: Request) -> str:
    """The request as a command line; the credential stays a reference to the environment."""
    auth = agreement.contract.provider.auth
    parts = ["curl", "-X", request.method, shlex.quote((request.origin or _origin(agreement)) + request.target)]
    for name, value in request.headers:
        if auth and name.lower() == auth.header.lower():
            prefix = "Bearer " if auth.scheme == "bearer" else ""
            parts += ["-H", f'"{auth.header}: {prefix}{auth.credential}"']
        elif name.lower() in ("content-type", "accept"):
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        parts += ["-d", shlex.quote(shown(request.body.decode("utf-8", "replace"), most=400))]
    return " ".join(parts)


def _origin(agreement: Agreement) -> str:
    base = agreement.contract.provider.base_url
    return base[: len(base) - len(agreement.base_path)] if agreement.base_path else base


def shown(value: object, *, most: int = MOST_SHOWN) -> str:
    """A value as short text; what is long in it is cut before it is written out."""
    if not isinstance(value, str):
        value = json.dumps(_cut(value, most), ensure_ascii=False, default=repr)
    return value if len(value) <= most else f"{value[: most // 2]}…{value[-most // 3 :]}"


def _cut(value: object, most: int) -> object:
    if isinstance(value, str):
        return value if len(value) <= most else value[:most]
    if isinstance(value, Mapping):
        return {str(key): _cut(item, most) for key, item in islice(value.items(), 12)}
    if isinstance(value, np.ndarray):
        value = value[:4].tolist() if value.ndim else value.item()
    if isinstance(value, list | tuple):
        return [_cut(item, most) for item in value[:4]] + (["…"] if len(value) > 4 else [])
    return value


def listed(items: Iterable[object]) -> str:
    """A few items as text."""
    return ", ".join(map(str, items)) or "none"
