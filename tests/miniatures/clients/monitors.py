"""Clients that watch their provider badly, or not at all."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.voyage_ai import VoyageAI
from tests.miniatures.clients import over_aiohttp, over_urllib


class Silent(over_aiohttp.Honest):
    """Sees that its provider is down, and tells nobody."""

    def monitor(self, *, on_alert: Callable[[object], object]) -> Any:
        return super().monitor(on_alert=lambda _: None)


class Nervous(over_urllib.Honest):
    """Asks every ten seconds."""

    def monitor(self, *, on_alert: Callable[[object], object]) -> Any:
        watchman = super().monitor(on_alert=on_alert)
        watchman.interval_s = 10.0
        return watchman


class Alarmist(over_aiohttp.Honest):
    """Alerts when nothing is wrong."""

    def monitor(self, *, on_alert: Callable[[object], object]) -> Any:
        on_alert("it may fail at any moment")
        return super().monitor(on_alert=on_alert)


class Innumerate(VoyageAI):
    """Has metrics that never change."""

    @property
    def metrics(self) -> Mapping[str, float]:
        return {"requests": 7.0}


class Absent(VoyageAI):
    """Has no monitor."""

    monitor = property()  # type: ignore[assignment]  # reading it raises AttributeError
