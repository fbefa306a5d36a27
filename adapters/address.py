"""Where a provider is and what it is shown, checked before anything is sent there."""

from urllib.parse import urlsplit

import httpx

from adapters.errors import InvalidInput


def checked_url(base_url: object) -> str:
    """A URL that paths can be added to."""
    if not isinstance(base_url, str):
        raise InvalidInput(f"base_url is a {type(base_url).__name__}: give a URL, such as http://localhost:6333")
    try:
        parts = urlsplit(base_url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(base_url))
    except (ValueError, httpx.InvalidURL) as error:
        raise InvalidInput(f"base_url `{base_url}` is no URL: {error}") from None
    if not fits:
        raise InvalidInput(f"base_url `{base_url}` is no URL of http or https: give one with its host, such as http://localhost:6333")
    if parts.query or parts.fragment:
        raise InvalidInput(f"base_url `{base_url}` ends in more than a path, and paths are added to it: leave that out")
    return base_url.rstrip("/")


def origin(base_url: str) -> str:
    """Scheme, host and port: what may be told."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def checked_credential(credential: object, variable: str) -> str:
    """A credential that a header can carry; the message does not show it."""
    if not isinstance(credential, str):
        raise InvalidInput(f"the credential is a {type(credential).__name__}: give a text")
    if not credential.isascii() or not credential.isprintable() or credential != credential.strip():
        raise InvalidInput(
            "the credential can't stand in a header: there is a line break, a space around it or a character beyond ASCII in it; "
            f"look at what is given as `credential`, or in {variable}"
        )
    return credential


def checked_grpc_address(address: str) -> str:
    """HOST:PORT, without a scheme."""
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    if not host or "/" in address or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidInput(f"grpc_address {address!r} is no address: give HOST:PORT, such as localhost:6334")
    return address
