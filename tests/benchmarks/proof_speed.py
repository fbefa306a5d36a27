"""How long it takes to prove the Voyage AI contract."""

import re
from collections.abc import Iterator

from tests.benchmarks.measure import Finding, Measure, Options
from tests.benchmarks.suites_speed import prove


def findings(options: Options) -> Iterator[Finding]:
    """Seconds, mutants a second, and the part of the time that is spent on the wire."""
    said, seconds, cpu_s = prove("voyage_ai")
    made = re.search(r"mutants: (\d+) of (\d+) killed", said)
    pace = re.search(r"(\d+) mutants/s, (\d+%) of that on the wire", said)
    killed = f"{made[1]} of {made[2]} mutants killed" if made else "no mutants"
    speed = f", {pace[1]} mutants/s, {pace[2]} of it on the wire" if pace else ""
    yield Measure(what=f"proof of voyage_ai: {killed}{speed}", ours=f"{seconds:.1f} s, CPU {cpu_s:.1f} s", figure=seconds, target=60.0, unit="s")
