"""Does the provider keep its objectives? What a load run measured, against each clause under `sla:`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from harness.checks.indicators import AT_BEST, PREFIX, QUANTILES
from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.contract.agreement import Agreement
from harness.contract.units import rate_per_s
from harness.verdict import Judgement

KEPT_UP = 0.99  # the share of the offered rate that must come through for the provider to have kept up
NOTICEABLE_LAG_S = 0.05
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One objective held against one indicator: of all requests, or of one operation's.

    ``doubt`` says why a miss does not count: what was measured may not be the provider's.
    """

    clause: str
    operation: str | None
    kept: bool
    expected: str
    actual: str
    hint: str = ""
    doubt: str = ""

    @property
    def in_a_word(self) -> str:
        return "kept" if self.kept else "not to be told" if self.doubt else "missed"

    @property
    def of(self) -> str:
        """Which requests were meant, to stand after what was expected of them."""
        return f" for `{self.operation}`" if self.operation else ""


def check_sla(sight: Sight) -> Iterator[Judgement]:
    """Each objective, over all requests and for each operation that was asked often enough to tell."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="sla")
    for each in compare(sight.agreement, sight.observation.measured):
        if each.kept:
            yield from judge.kept(each.clause)
        elif each.doubt:
            yield judge.undecided(each.clause, why=f"{each.clause}{each.of}: expected {each.expected}, actual {each.actual}; {each.doubt}")
        else:
            yield judge.broken(each.clause, expected=each.expected + each.of, actual=each.actual, hint=each.hint)


def compare(agreement: Agreement, measured: Mapping[str, float]) -> Iterator[Comparison]:
    """Every objective of the contract against what was measured; nothing when no load was run.

    A run without a sample, or one that was cut short, keeps no objective.
    """
    if f"{PREFIX}.samples" not in measured:
        return
    scales = [Scale(agreement=agreement, measured=measured)]
    scales += [Scale(agreement=agreement, measured=measured, operation=name) for name in agreement.operations]
    for scale in scales:
        for name in objectives(agreement):
            if scale.tells(name):
                yield scale.compare(name)


def objectives(agreement: Agreement) -> tuple[str, ...]:
    """The names of the objectives that a contract states."""
    sla = agreement.contract.sla
    return tuple(name for name in type(sla).model_fields if getattr(sla, name) is not None)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The indicators of all requests, or of one operation's, and the objectives that they are held against."""

    agreement: Agreement
    measured: Mapping[str, float]
    operation: str | None = None
    at_best: bool = False

    def _of_run(self, name: str) -> float | None:
        return self.measured.get(f"{PREFIX}.{name}")

    def _indicator(self, name: str) -> float | None:
        prefix = AT_BEST if self.at_best else PREFIX
        return self.measured.get(f"{prefix}.{self.operation}.{name}" if self.operation else f"{prefix}.{name}")

    def tells(self, name: str) -> bool:
        """Whether this is judged here: all requests always are; an operation's where one more or less does not decide."""
        if self.operation is None:
            return True
        if self._missing():
            return False
        objective = float(getattr(self.agreement.contract.sla, name))
        finest = {"availability": 1 - objective, "error_rate": objective, "throughput": 0.0}
        share = finest[name] if name in finest else 1 - QUANTILES[name.removeprefix("response_time_")]
        return (self._indicator("samples") or 0.0) * share >= 1 - _ROUNDING

    def compare(self, name: str) -> Comparison:
        """One objective against its indicator."""
        clause = f"sla.{name}"
        expected, actual, kept = self._read(name)
        missing = self._missing()
        doubt = "" if kept or missing else self._doubt(name)
        return Comparison(
            clause=clause,
            operation=self.operation,
            kept=kept and not missing,
            expected=expected,
            actual=missing or actual,
            hint="" if kept or missing or doubt else self._hint(name),
            doubt=doubt,
        )

    def _doubt(self, name: str) -> str:
        """Why a miss may not be the provider's, if so: without what others took, the objective would have been kept."""
        if f"{AT_BEST}.samples" not in self.measured:
            return ""
        _, best, kept = replace(self, at_best=True)._read(name)
        if not kept:
            return ""
        stalled_s, starved_s = (self._of_run(each) or 0.0 for each in ("sender_stalled_s", "provider_starved_s"))
        waits = f"the sender could not run for {seconds(stalled_s)}, the provider waited {seconds(starved_s)} for processors in other use"
        return f"the machine was too busy to tell: {waits}; at best it was {best}"

    def _missing(self) -> str:
        """Why nothing can be judged, if so."""
        samples, planned = self._of_run("samples") or 0.0, self._of_run("planned") or 0.0
        if not samples:
            return "no sample"
        if samples < planned or not self.measured.get(f"{PREFIX}.complete", 1.0):
            return f"a run that was cut short: {samples:.0f} of {planned:.0f} requests"
        return ""

    def _read(self, name: str) -> tuple[str, str, bool]:
        objective = float(getattr(self.agreement.contract.sla, name))
        if name == "throughput":
            return self._throughput(objective)
        if name == "availability":
            value = self._indicator("availability")
            return f"≥ {percent(objective)}", shown(value, percent), value is not None and value >= objective - _ROUNDING
        if name == "error_rate":
            value = self._indicator("error_rate")
            return f"≤ {percent(objective)}", shown(value, percent), value is not None and value <= objective + _ROUNDING
        value = self._indicator(f"{name.removeprefix('response_time_')}_s")
        return f"≤ {seconds(objective)}", shown(value, seconds), value is not None and value <= objective + _ROUNDING

    def _throughput(self, objective: float) -> tuple[str, str, bool]:
        """More than was offered can't come through: where that is no more than the objective, the provider has to keep up."""
        unit = str(self.agreement.clauses["sla.throughput"].value).rpartition("/")[2].strip()
        value, offered = self._indicator("throughput_per_s"), self._of_run("target_rate_per_s") or 0.0
        least, expected = objective, f"≥ {per(objective, unit)}"
        if KEPT_UP * offered < objective:
            least, expected = KEPT_UP * offered, f"≥ {percent(KEPT_UP)} of the {per(offered, unit)} that the profile offers"
        if offered < objective * (1 - _ROUNDING):
            expected += f" (the objective, {per(objective, unit)}, was not tried)"
        return expected, "no sample" if value is None else per(value, unit), value is not None and value >= least - _ROUNDING

    def _hint(self, name: str) -> str:
        lag_s = self._of_run("lag_p99_s") or 0.0
        if lag_s > NOTICEABLE_LAG_S and name not in ("availability", "error_rate"):
            late = f"1 % of the requests were sent {seconds(lag_s)} late or later"
            return f"{late}: if the provider was idle, add workers (--processes, --worker)"
        return ""


def shown(value: float | None, form: Callable[[float], str]) -> str:
    return "no sample" if value is None else form(value)


def percent(value: float) -> str:
    """A fraction as a percentage, as exactly as a few digits say it."""
    return f"{round(value * 100, 3):g} %"


def seconds(value: float) -> str:
    """A duration in the unit in which it is read best."""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"


def per(rate: float, unit: str) -> str:
    """A rate in the unit that the contract states it in."""
    value = rate / rate_per_s(f"1/{unit}")
    return f"{value:.0f}/{unit}" if value >= 10_000 else f"{value:.5g}/{unit}"
