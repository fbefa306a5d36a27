"""The users: whoever sends the requests of a contract, at moments that do not depend on the answers."""

from time import perf_counter
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from locust import FastHttpUser, constant, task
from locust.contrib.fasthttp import FastResponse
from locust.env import Environment
from locust.exception import CatchResponseError

from harness.checks.indicators import Fate, Samples
from harness.exchange import Response
from harness.suites.load.answers import Answers
from harness.suites.load.processors import provider_waits
from harness.suites.load.requests import Template
from harness.suites.load.run import Part, report
from harness.suites.load.traffic import Made
from harness.suites.load.watch import PERIOD_S, Watch

REPORT_EVERY_S = 1.0
REPORT = "load_samples"
LONG_S = 1e6
ANY_STATUS = range(100, 1000)
ENCODINGS = {"accept-encoding": "gzip, deflate"}
CLOCK_STEP_S = 0.002  # a timer may ring that much early


class Arrivals(FastHttpUser):
    """One stream of requests. It stands for many users: it sends each request when it is due, whatever became
    of the ones before, and measures from when it was due."""

    host = "http://127.0.0.1"  # the run says which
    wait_time = constant(0)
    insecure = False
    max_redirects = 0  # a redirect is an answer, and none that carries a credential elsewhere

    def __init__(self, environment: Environment) -> None:
        self.part: Part = environment.contract_part  # type: ignore[attr-defined]  # set when the run began
        self.network_timeout = self.connection_timeout = self.part.patience_s
        self.concurrency = self.part.most_in_flight
        super().__init__(environment)
        agent: Any = self.client.client  # its types forbid what it is made for
        agent.valid_response_codes = ANY_STATUS  # no exception for a status: it is told by its fate
        agent.cookiejar = None
        self._pool = Pool(self.part.most_in_flight)
        self._samples = Samples()
        self._answers = Answers(agreement=self.part.agreement, clock=perf_counter)
        self._base_url = self.part.order.base_url
        self._watch = Watch(perf_counter, provider_waits(self._base_url))
        self._headers = [[self._headers_of(each) for each in examples] for examples in self.part.templates]

    def _headers_of(self, template: Template | Made) -> dict[str, str]:
        return {**ENCODINGS, **dict(template.headers), **self.part.credential_header}

    @task
    def send_all(self) -> None:
        """Take this process's share of the schedule to its end, then say so and rest until the run is stopped."""
        if self.part.claim(self.environment.runner.client_id):
            self._send_share()
            self._report(finished=True)
        gevent.sleep(LONG_S)

    def _send_share(self) -> None:
        done = Event()
        begin_s = self._watch.begin()
        beside = [gevent.spawn(self._report_until, done), gevent.spawn(self._watch_until, done)]
        try:
            for number, start_s, operation in self.part.arrivals(self.environment.runner.client_id):
                early_s = begin_s + start_s - perf_counter()
                if early_s > 0:
                    gevent.sleep(early_s)
                self._pool.spawn(self._ask, operation, number, begin_s, start_s)
            self._pool.join()
            done.set()
            gevent.joinall(beside)  # killed in the middle of a report, one would take samples with it
        finally:
            gevent.killall([*self._pool, *beside])

    def _ask(self, operation: int, number: int, begin_s: float, start_s: float) -> None:
        """One request, from when it was due until its fate is known."""
        due_s, template = begin_s + start_s, self.part.template(operation, number)
        lag_s = perf_counter() - due_s
        left_s = self.part.patience_s - lag_s
        answer = self._send(template, operation, number, left_s) if left_s > 0 else None
        response_s = perf_counter() - due_s
        fate, why = self._fate(template, number, answer, late=response_s >= self.part.patience_s - CLOCK_STEP_S)
        self._samples.add(operation, fate, start_s=start_s, lag_s=lag_s, response_s=response_s)
        self.environment.events.request.fire(
            request_type=template.method,
            name=template.operation,
            response_time=response_s * 1000,
            response_length=len(answer.content or b"") if answer is not None else 0,
            exception=CatchResponseError(why) if why else None,
            context={},
            response=answer,
            url=template.operation,
        )

    def _send(self, template: Template | Made, operation: int, number: int, patience_s: float) -> FastResponse | None:
        """The answer; None when there was none in time, or none that can be read."""
        request = template.request(self.part.order.first_number + number)
        body: Any = request.body  # bytes, which the client takes and does not declare
        headers = self._headers[operation][number % len(self._headers[operation])]
        url = self._base_url + request.target.removeprefix(self.part.agreement.base_path)
        timer = gevent.Timeout(patience_s)
        try:
            with timer:
                return self.client.request(request.method, url, data=body, headers=headers, catch_response=True)
        except gevent.Timeout as rung:
            if rung is not timer:
                raise
        except (ValueError, RuntimeError, OSError):
            pass  # what came back was no HTTP that the client could read
        return None

    def _fate(self, template: Template | Made, number: int, answer: FastResponse | None, *, late: bool) -> tuple[Fate, str]:
        if answer is None or not answer.status_code or answer.content is None:
            error = getattr(answer, "error", None)
            return (Fate.LATE, "no answer in time") if late else (Fate.LOST, f"no answer: {type(error).__name__}")
        headers = tuple((name.lower(), value) for name, value in (answer.headers or {}).items())
        response = Response(status=answer.status_code, headers=headers, body=answer.content)
        return self._answers.fate(template, self.part.order.first_number + number, response)

    def _watch_until(self, done: Event) -> None:
        while not done.wait(PERIOD_S):
            self._watch.ring()

    def _report_until(self, done: Event) -> None:
        while not done.wait(REPORT_EVERY_S):
            self._report(finished=False)

    def _report(self, *, finished: bool) -> None:
        """Hand over what was measured since the last time, to whoever judges the run: here, or on the master."""
        self._watch.ring()
        samples, self._samples = self._samples, Samples()
        breaking, self._answers.breaking = self._answers.breaking, []
        runner = self.environment.runner
        runner.send_message(REPORT, report(runner.client_id, samples, breaking, watch=self._watch, finished=finished))
