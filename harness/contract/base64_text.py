"""Base64 as text, strictly, and by many bytes at a time where pybase64 is installed: vectors are long."""

import binascii
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def _chosen() -> "tuple[Callable[[str], bytes], Callable[[Buffer], str]]":
    try:
        import pybase64
    except ImportError:
        return partial(binascii.a2b_base64, strict_mode=True), lambda data: binascii.b2a_base64(data, newline=False).decode("ascii")
    return partial(pybase64.b64decode, validate=True), pybase64.b64encode_as_string


# ``from_base64`` raises ValueError for anything that is not base64 through and through.
from_base64, to_base64 = _chosen()
