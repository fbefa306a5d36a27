"""The fuzz suite, both ways: the provider is asked anything, and the client is answered anything."""

from collections.abc import Iterator

from harness.suites.case import Case, Setting
from harness.suites.fuzz.client import ClientFuzz
from harness.suites.fuzz.generated import Generator
from harness.suites.fuzz.provider import ProviderFuzz
from harness.suites.staging import Staging


class Fuzz:
    """Requests and responses along every clause of every schema, and beyond."""

    name = "fuzz"

    def cases(self, setting: Setting) -> Iterator[Case]:
        staging, generator = Staging(setting), Generator(setting.agreement, setting.seed, setting.build / "drawn")
        for terms in setting.agreement.operations.values():
            asked = ProviderFuzz(staging, generator, terms)
            yield from asked.cases()
            if setting.binding.binds(terms.name):
                yield from ClientFuzz(staging, terms, asked).cases()


SUITE = Fuzz()
