"""The shape of a load: a stream in every process that sends, until the profile has been taken to its end."""

from locust import LoadTestShape
from locust.runners import STATE_MISSING, MasterRunner

from harness.suites.load.session import Session


class ContractProfile(LoadTestShape):
    """The profile of the contract. How many requests start when is in the schedule; this starts and ends it."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        environment = self.runner.environment
        session: Session = environment.contract_session  # type: ignore[attr-defined]  # set when locust started
        run = session.next_run()
        if not run.begun:
            self.reset_time()
            run.begin(self._sending())
            environment.parsed_options.contract_order = run.order.plain()  # type: ignore[union-attr]  # goes to the workers too
        if run.over(self.get_run_time(), lost=set(run.order.streams).difference(self._sending())):
            return None
        return len(run.order.streams), float(len(run.order.streams))

    def _sending(self) -> list[str]:
        """The processes that can send."""
        runner = self.runner
        if isinstance(runner, MasterRunner):
            return sorted(client.id for client in runner.clients.values() if client.state != STATE_MISSING)
        return [runner.client_id]  # type: ignore[union-attr]  # every other runner has one
