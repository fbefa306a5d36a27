"""The process that judges: it has the provider started, takes the samples in, and says what they mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.provider.choice import choose
from harness.provider.serving import Serving, serve
from harness.suites.load.conclusion import Conclusion, Status, conclude
from harness.suites.load.filling import Filling
from harness.suites.load.order import Order, announcement
from harness.suites.load.result import write_result
from harness.suites.load.run import Run, credential_header
from harness.suites.load.traffic import traffic_of


@dataclass(kw_only=True)
class Session:
    """From the command line to the exit status; one run after the other, if more than one is asked for."""

    agreement: Agreement
    level: Level
    serving: Serving
    filling: Filling
    run: Run
    result_file: Path
    say: Callable[[str], object]
    conclusion: Conclusion | None = None

    @classmethod
    def open(cls, agreement: Agreement, order: Order, *, result_file: Path, say: Callable[[str], object]) -> Self:
        """Start the provider, if it is one that is started, and say what it is going to be sent."""
        schedule = order.schedule(agreement)
        provider = choose(agreement, order.provider)
        traffic = traffic_of(agreement, order)
        serving = serve(agreement, order.provider)
        ready = order.at(serving.base_url)
        own = credential_header(agreement, provider.credential)
        filling = Filling(agreement, traffic, base_url=serving.base_url, credential_header=own, say=say)
        try:
            filling.fill()
        except BaseException:
            serving.close()
            raise
        for line in announcement(agreement, ready, schedule, level=provider.level):
            say(line)
        run = Run(agreement, ready, provider.level, schedule)
        return cls(agreement=agreement, level=provider.level, serving=serving, filling=filling, run=run, result_file=result_file, say=say)

    def take(self, report: Mapping[str, Any]) -> None:
        """What a stream has measured; what comes after the end of a run belongs to none."""
        if not self.run.stopped:
            self.run.take(report)

    def next_run(self) -> Run:
        """The run that is to begin, or that is under way."""
        if self.run.stopped:
            self.run = self.run.renewed()
        return self.run

    def stop(self) -> None:
        """The run is at its end, whichever: judge it, say so, and leave the result."""
        if self.run.stopped:
            return
        self.run.stopped = True
        self.conclusion = conclude(self.agreement, self.run.result(), level=self.level)
        for line in self.conclusion.lines():
            self.say(line)
        write_result(self.result_file, self.conclusion.result)

    def close(self, page: Path | None) -> Status:
        """End the provider and put the verdict at the top of locust's page; the exit status."""
        self.filling.empty()
        self.serving.close()
        self.stop()
        assert self.conclusion is not None
        if page is not None and page.is_file():
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace("<body>", f"<body>{self.conclusion.html()}", 1), encoding="utf-8")
        return self.conclusion.status
