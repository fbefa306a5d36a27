"""A cassette of what the client has no method for: the harness asks the provider itself, and only the answer is judged."""

from dataclasses import dataclass, replace

from harness.checks.examples import example_parts
from harness.contract.agreement import OperationTerms
from harness.exchange import Observation
from harness.suites.asking import ask
from harness.suites.case import Setting, Skipped
from harness.suites.cassette.deck import Deck, EngineMissing, NotWritten, label_now
from harness.suites.cassette.run import outranked
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import Tape
from harness.suites.staging import Staging
from harness.verdict import SkipReason

BY = "the harness itself"


@dataclass(frozen=True, kw_only=True)
class Direct:
    """One example of an operation, asked and recorded past the client."""

    setting: Setting
    terms: OperationTerms
    example: str
    secrets: Secrets
    tape: Tape | None = None

    def execute(self) -> Observation | Skipped:
        path = self.setting.cassettes / f"{self.terms.name}-{self.example}.yaml"
        held = outranked(self.tape, self.setting)
        if held is not None:
            return held
        try:
            deck = Deck(path, self.tape, mode=self.setting.record_mode, agreement=self.setting.agreement, secrets=self.secrets)
        except EngineMissing as missing:
            return Skipped(reason=SkipReason.ENGINE_MISSING, detail=str(missing))
        shown = self.terms.model.examples[self.example]
        staging = Staging(self.setting)
        exchanges = ask(self.setting, [staging.request(self.terms, example_parts(shown))], state=shown.given)
        seen = staging.observed(exchanges)
        response = exchanges[0].response
        expected = shown.response.status if shown.response else self.terms.success[0]
        if response is None or response.status != expected:
            told = f"status {response.status}" if response else "no answer"
            raise NotWritten(f"{path.name} is left as it was: {self.terms.name} was to end with status {expected} and got {told}")
        deck.record(exchanges[0].request, response)
        label = label_now(self.setting.agreement, against=str(self.setting.provider.level), by=BY, given=shown.given)
        deck.save(label)
        return replace(seen, note=f"{path.name} was {label.told(label.date)}" if label.date else "")
