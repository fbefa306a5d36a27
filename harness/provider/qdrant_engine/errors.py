"""What the server refuses, with the status and the wording that Qdrant uses for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class Kind(Enum):
    """A class of refusal: the prefix of its message, its HTTP status, its gRPC code."""

    BAD_INPUT = ("Wrong input: ", 400, "INVALID_ARGUMENT")
    BAD_REQUEST = ("Bad request: ", 400, "INVALID_ARGUMENT")
    FORMAT = ("Format error in JSON body: ", 400, "INVALID_ARGUMENT")
    QUERY_FORMAT = ("Deserialize error in query parameters: ", 400, "INVALID_ARGUMENT")
    VALIDATION = ("Validation error in JSON body: ", 422, "INVALID_ARGUMENT")
    QUERY_VALIDATION = ("Validation error in query parameters: ", 422, "INVALID_ARGUMENT")
    PATH_VALIDATION = ("Validation error in path parameters: ", 422, "INVALID_ARGUMENT")
    CONTENT_TYPE = ("", 400, "INVALID_ARGUMENT")
    TOO_LARGE = ("Payload error: ", 400, "RESOURCE_EXHAUSTED")
    NOT_FOUND = ("Not found: ", 404, "NOT_FOUND")
    ALREADY_EXISTS = ("Wrong input: ", 409, "ALREADY_EXISTS")
    INTERNAL = ("Service internal error: ", 500, "INTERNAL")
    NO_ROOM = ("Insufficient storage: ", 507, "FAILED_PRECONDITION")

    @property
    def prefix(self) -> str:
        return self.value[0]

    @property
    def status(self) -> int:
        return self.value[1]

    @property
    def code(self) -> str:
        return self.value[2]


class Refused(Exception):
    """A request that can't be answered, and why."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(kind.prefix + detail)
        self.kind = kind
        self.detail = detail

    @property
    def grpc_message(self) -> str:
        """The message where there is no JSON body to speak of."""
        return str(self).removeprefix(Kind.FORMAT.prefix).replace(" in JSON body: ", " in body: ")


class CannotServe(RuntimeError):
    """The server can't start or keep its data here; the message says what to do."""


def unsupported(what: str) -> Refused:
    """What the real server can do and the engine without one can't."""
    return Refused(Kind.BAD_REQUEST, f"{what} is not supported by the embedded engine")


def no_collection(name: str) -> Refused:
    return Refused(Kind.NOT_FOUND, f"Collection `{name}` doesn't exist!")


# How the engine's own messages begin, and what the server makes of each.
_ENGINE = (
    ("Vector dimension error", Kind.BAD_INPUT),
    ("Not existing vector name", Kind.BAD_INPUT),
    ("Wrong usage of", Kind.BAD_INPUT),
    ("Validation failed: ", Kind.BAD_INPUT),
    ("No range index", Kind.BAD_REQUEST),
    ("No appropriate index", Kind.BAD_REQUEST),
    ("No point with id", Kind.NOT_FOUND),
)


def from_engine(error: BaseException) -> Refused:
    """The refusal that an error of the engine stands for."""
    message = str(error)
    kind = next((kind for start, kind in _ENGINE if message.startswith(start)), Kind.INTERNAL)
    if kind is Kind.NOT_FOUND:
        message += " found"
    return Refused(kind, message.removeprefix("Service runtime error: ").removeprefix("Validation failed: "))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn the engine's complaint about a value into a format error that names the place."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        first = str(error).splitlines()[0]
        raise Refused(Kind.FORMAT, f"{what}: {first}") from error
