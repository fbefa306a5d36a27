"""What a load run means: the verdict by clause, for a terminal, for a page and as an exit status."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from html import escape

from harness.checks.indicators import PREFIX, Fate
from harness.checks.registry import judge
from harness.checks.sla import Comparison, compare, percent, seconds
from harness.contract.agreement import Agreement
from harness.exchange import Level, Observation
from harness.suites.load.result import LoadResult
from harness.verdict import Finding


class Status(IntEnum):
    """Exit statuses; a missed objective outweighs an answer that broke the contract, for it has counted that too."""

    KEPT = 0
    BROKEN = 1
    USAGE = 2
    MISSED = 3


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A run, judged."""

    agreement: Agreement
    result: LoadResult
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        if not self.result.measured.get(f"{PREFIX}.samples") or not all(each.kept for each in self.comparisons):
            return Status.MISSED  # also where a miss can't be told from a busy machine: nothing was shown to be kept
        return Status.BROKEN if self.findings else Status.KEPT

    @property
    def doubtful(self) -> bool:
        """Whether the run tells nothing: what it missed may be the machine's, and nothing else is wrong."""
        missed = [each for each in self.comparisons if not each.kept]
        return bool(missed) and not self.findings and all(each.doubt for each in missed)

    @property
    def in_words(self) -> str:
        return "not to be told, the machine was too busy" if self.doubtful else "kept" if self.status is Status.KEPT else "not kept"

    def headline(self) -> str:
        measured, result = self.result.measured, self.result
        asked = f"{measured[f'{PREFIX}.samples']:.0f} of {measured[f'{PREFIX}.planned']:.0f} requests"
        rate = f"{measured[f'{PREFIX}.target_rate_per_s']:.4g}/s"
        return f"{result.contract}, profile {result.profile}, provider {result.provider}: {asked} at {rate}"

    def lines(self) -> Iterator[str]:
        """The run for a terminal."""
        yield self.headline()
        yield f"  {'operation':<24}{'samples':>8}{'p50':>10}{'p95':>10}{'p99':>10}{'max':>10}{'per s':>9}{'available':>11}{'errors':>9}"
        for cells in self.table():
            yield f"  {cells[0]:<24}" + "".join(
                f"{cell:>{width}}" for cell, width in zip(cells[1:], (8, 10, 10, 10, 10, 9, 11, 9), strict=True)
            )
        yield f"  what came of them: {self.fates()}"
        if not self.comparisons:
            yield "the contract states no objectives under `sla:`; nothing was judged"
        for each in self.comparisons:
            if each.operation is None or not each.kept:
                yield self._line(each)
        for finding in self.findings:
            yield str(finding)

    def fates(self) -> str:
        """How many requests had which fate."""
        counts = {fate.name.lower(): self.result.measured.get(f"{PREFIX}.fate.{fate.name.lower()}", 0.0) for fate in Fate}
        return ", ".join(f"{count:.0f} {name}" for name, count in counts.items() if count) or "nothing"

    def _line(self, each: Comparison) -> str:
        if each.kept:
            return f"{each.clause} is kept{each.of}: expected {each.expected}, actual {each.actual}"
        if each.doubt:
            return f"{each.clause} can't be told{each.of}: expected {each.expected}, actual {each.actual}\n  {each.doubt}"
        line = f"{self.agreement.place(each.clause)}: {each.clause} is missed{each.of}: expected {each.expected}, actual {each.actual}"
        return f"{line}\n  {each.hint}" if each.hint else line

    def table(self) -> Iterator[tuple[str, ...]]:
        """For each operation and for all: samples, response times, throughput, availability, errors."""
        measured = self.result.measured
        names = [name for name in self.agreement.operations if f"{PREFIX}.{name}.samples" in measured]
        for title, prefix in [*((name, f"{PREFIX}.{name}") for name in names), ("all", PREFIX)]:

            def cell(name: str, shown: object, prefix: str = prefix) -> str:
                value = measured.get(f"{prefix}.{name}")
                return "-" if value is None else str(shown(value))  # type: ignore[operator]  # each is a way to show a number

            times = [cell(name, seconds) for name in ("p50_s", "p95_s", "p99_s", "max_s")]
            rest = [cell("throughput_per_s", "{:.4g}".format), cell("availability", percent), cell("error_rate", percent)]
            yield (title, cell("samples", "{:.0f}".format), *times, *rest)

    def html(self) -> str:
        """The run as a section of a page."""
        heads = "".join(f"<th>{name}</th>" for name in ("operation", "samples", "p50", "p95", "p99", "max", "per s", "available", "errors"))
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>" for cells in self.table())
        verdicts = "".join(
            f"<tr><td>{escape(each.clause + each.of)}</td><td>{escape(each.expected)}</td><td>{escape(each.actual)}</td>"
            f"<td><b>{each.in_a_word}</b></td><td>{escape(str(self.agreement.place(each.clause)))}</td></tr>"
            for each in self.comparisons
        )
        findings = "".join(f"<pre>{escape(str(finding))}</pre>" for finding in self.findings)
        return (
            '<section style="font:14px/1.5 sans-serif;margin:2em;overflow-x:auto">'
            "<style>section td,section th{padding:.2em 1em;text-align:left}</style>"
            f"<h1>Service level: {self.in_words}</h1>"
            f"<p>{escape(self.headline())}: {escape(self.fates())}</p>"
            f"<table><tr><th>objective</th><th>expected</th><th>actual</th><th></th><th>clause</th></tr>{verdicts}</table>{findings}"
            f"<h2>Response times from the moment a request was meant to start</h2><table><tr>{heads}</tr>{rows}</table></section>"
        )


def conclude(agreement: Agreement, result: LoadResult, *, level: Level) -> Conclusion:
    """Judge a run by every check there is; what speaks about objectives is told apart from what else was broken."""
    found = [judgement.finding for judgement in judge(agreement, observation(result, level=level)) if judgement.finding]
    unique = {finding.fingerprint: finding for finding in found if not finding.clause.startswith("sla.")}
    return Conclusion(
        agreement=agreement,
        result=result,
        comparisons=tuple(compare(agreement, result.measured)),
        findings=tuple(unique.values()),
    )


def observation(result: LoadResult, *, level: Level) -> Observation:
    """A result as checks look at it."""
    return Observation(exchanges=result.breaking, measured=result.measured, level=level)
