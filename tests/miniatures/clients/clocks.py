"""Clients that wait for an answer too long, not long enough, or for ever."""

import time

import requests

from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Answer, Late, Lost, Send


class Trusting(over_requests.Honest):
    """Sets no timeout at all."""

    def send(self, send: Send) -> Answer:
        try:
            response = self._session.post(self.base_url + send.path, data=send.body, headers=dict(send.headers))
        except requests.RequestException as error:
            raise Lost from error
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)


class BetweenBytes(over_requests.Honest):
    """Sets the timeout that `requests` has: it counts anew with each byte."""

    def send(self, send: Send) -> Answer:
        try:
            response = self._session.post(self.base_url + send.path, data=send.body, headers=dict(send.headers), timeout=send.timeout_s)
        except requests.Timeout:
            raise Late from None
        except requests.RequestException as error:
            raise Late if "timed out" in str(error) else Lost from error
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)


class Hasty(over_aiohttp.Honest):
    """Waits ten seconds for an answer, not sixty."""

    timeout_s = 10.0


class Unhurried(over_urllib.Honest):
    """Waits ten minutes for an answer, as some SDKs do."""

    timeout_s, budget_s = 600.0, 1800.0


class Endless(over_aiohttp.Honest):
    """Has no deadline over its attempts."""

    budget_s = 1e9


class Spinning(over_urllib.Honest):
    """Waits by asking the clock again and again."""

    def sleep(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            pass
