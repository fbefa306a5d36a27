"""``pytest --prove``: after the cases, every clause is broken, and the checks have to notice."""

from collections.abc import Callable, Iterable

from harness.proof.prover import Prover
from harness.proof.result import Proof
from harness.suites.case import Setting, Suite

LEFT_OUT = frozenset({"pact"})  # its engine speaks to ports of its own, where nobody stands in between
Write = Callable[[str], None]


def prove(setting: Setting, suites: Iterable[Suite], *, whole: bool, write: Write) -> Proof:
    """The proof of one contract, ``whole`` by all its suites; its stages are written as they are passed."""
    told: set[tuple[str, int]] = set()

    def progress(stage: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if (stage, tenth) not in told:
            told.add((stage, tenth))
            write(f"proving {setting.agreement.name}: {stage}: {done} of {total}")

    chosen = [suite for suite in suites if suite.name not in LEFT_OUT]
    return Prover(setting, chosen, whole=whole, progress=progress).prove()
