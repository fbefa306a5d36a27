"""The honest client on `requests`."""

import time

import requests
import urllib3

from tests.miniatures.clients.blocking import Blocking
from tests.miniatures.clients.sound import Answer, Late, Lost, Send

CHUNK = 65536


class Honest(Blocking):
    """Sends with one `requests.Session`."""

    def __init__(self, *, base_url: str, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def send(self, send: Send) -> Answer:
        deadline_s = time.monotonic() + send.timeout_s
        try:
            with self._session.post(
                self.base_url + send.path,
                data=send.body,
                headers=dict(send.headers),
                timeout=send.timeout_s,
                stream=True,
                allow_redirects=False,
            ) as response:
                found = []
                while piece := response.raw.read1(CHUNK, decode_content=True):
                    found.append(piece)
                    if time.monotonic() >= deadline_s:
                        raise Late
                return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, b"".join(found))
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise Late from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Lost from error
