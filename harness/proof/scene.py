"""An observation taken apart so that one thing in it can be changed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.exchange import Call, Exchange, Observation, Request


@dataclass(frozen=True)
class Scene:
    """One observation; every method gives a new one in which one thing is different."""

    observation: Observation
    forbidden: Mapping[str, Request] = field(default_factory=dict, repr=False)  # requests that break a rule or a parameter, by clause

    @property
    def calls(self) -> Iterator[tuple[int, Call]]:
        yield from enumerate(self.observation.calls)

    @property
    def sent(self) -> Iterator[tuple[int, int, Exchange]]:
        """Every exchange of every call: number of the call, number in it, exchange."""
        for number, call in self.calls:
            for index, exchange in enumerate(call.exchanges):
                yield number, index, exchange

    def with_call(self, number: int, call: Call) -> Observation:
        calls = self.observation.calls
        return replace(self.observation, calls=(*calls[:number], call, *calls[number + 1 :]))

    def with_exchanges(self, number: int, exchanges: tuple[Exchange, ...], *, ended_s: float | None = None) -> Observation:
        call = self.observation.calls[number]
        return self.with_call(number, replace(call, exchanges=exchanges, ended_s=call.ended_s if ended_s is None else ended_s))

    def with_exchange(self, number: int, index: int, exchange: Exchange) -> Observation:
        exchanges = self.observation.calls[number].exchanges
        return self.with_exchanges(number, (*exchanges[:index], exchange, *exchanges[index + 1 :]))

    def with_request(self, number: int, index: int, request: Request) -> Observation:
        exchange = self.observation.calls[number].exchanges[index]
        return self.with_exchange(number, index, replace(exchange, request=request))

    def with_all_requests(self, change: Callable[[Request], Request]) -> Observation:
        calls = tuple(
            replace(call, exchanges=tuple(replace(exchange, request=change(exchange.request)) for exchange in call.exchanges))
            for call in self.observation.calls
        )
        return replace(self.observation, calls=calls)

    def with_times(self, change: Callable[[float], float]) -> Observation:
        """Every moment moved."""

        def moved(exchange: Exchange) -> Exchange:
            return replace(exchange, started_s=change(exchange.started_s), ended_s=change(exchange.ended_s))

        calls = tuple(
            replace(call, started_s=change(call.started_s), ended_s=change(call.ended_s), exchanges=tuple(map(moved, call.exchanges)))
            for call in self.observation.calls
        )
        return replace(self.observation, calls=calls)

    def later_from(self, moment_s: float, by_s: float, number: int, index: int) -> Observation:
        """One call's exchanges from ``index`` on, its end, and whatever came after it, moved by so many seconds."""

        def moved(exchange: Exchange) -> Exchange:
            return replace(exchange, started_s=exchange.started_s + by_s, ended_s=exchange.ended_s + by_s)

        calls = []
        for position, call in enumerate(self.observation.calls):
            if position == number:
                kept, rest = call.exchanges[:index], call.exchanges[index:]
                calls.append(replace(call, exchanges=(*kept, *map(moved, rest)), ended_s=call.ended_s + by_s))
            elif call.started_s >= moment_s and position > number:
                calls.append(
                    replace(call, started_s=call.started_s + by_s, ended_s=call.ended_s + by_s, exchanges=tuple(map(moved, call.exchanges)))
                )
            else:
                calls.append(call)
        return replace(self.observation, calls=tuple(calls))
