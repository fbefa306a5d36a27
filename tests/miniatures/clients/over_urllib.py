"""The honest client on the standard library alone."""

import http.client
import time
import urllib.error
import urllib.request

from tests.miniatures.clients.blocking import Blocking
from tests.miniatures.clients.sound import Answer, Late, Lost, Send

CHUNK = 65536


class Honest(Blocking):
    """Sends with `urllib.request`."""

    def send(self, send: Send) -> Answer:
        request = urllib.request.Request(self.base_url + send.path, data=send.body, headers=dict(send.headers), method="POST")
        deadline_s = time.monotonic() + send.timeout_s
        try:
            try:
                response = urllib.request.urlopen(request, timeout=send.timeout_s)
            except urllib.error.HTTPError as error:
                response = error
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, self._body(response, deadline_s))
        except TimeoutError:
            raise Late from None
        except urllib.error.URLError as error:
            raise Late if isinstance(error.reason, TimeoutError) else Lost from error
        except (OSError, http.client.HTTPException) as error:
            raise Lost from error

    def _body(self, response: http.client.HTTPResponse, deadline_s: float) -> bytes:
        """The whole body, by the deadline: the timeout of a socket counts from byte to byte."""
        found = []
        with response:
            while piece := response.read1(CHUNK):
                found.append(piece)
                if time.monotonic() >= deadline_s:
                    raise TimeoutError
            wanted = response.headers.get("content-length")
        body = b"".join(found)
        if wanted is not None and len(body) < int(wanted):
            raise http.client.IncompleteRead(body)
        return body
