"""The words that a contract file is made of: names, statuses, dates, references; and what a part of it is."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from harness.contract.problems import ALLOWED, shown
from harness.contract.rpc import STATUS_NAMES

# Each pattern with what it means in words: nobody is told to match a regular expression.
NAME = r"^[A-Za-z_][A-Za-z0-9_.\-]*$"
SERVICE = r"^[a-z][a-z0-9_]*$"
VERSION = r"^[A-Za-z0-9][A-Za-z0-9.\-]*$"
DOTTED_PATH = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"
ADAPTER = r"^([A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*|[A-Za-z_][A-Za-z0-9_\-]*)$"
CREDENTIAL = r"^\$\{[A-Z_][A-Z0-9_]*\}$"
BASE_URL = r"^https?://[^\s?#@]+[^/\s?#@]$"
PROBE = r"^[A-Za-z0-9_.\-]+/[A-Za-z0-9_.\-]+$"
ROUTE = r"^(/([^/\s?#{}]|\{[A-Za-z_][A-Za-z0-9_]*\})*)+$"
POINTER = r"^(/[^/]+)*$"
STATUS = r"^[1-5][0-9][0-9]$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

MEANINGS = {
    NAME: "a name: letters, digits, `_`, `-` and `.`, a letter first",
    SERVICE: "lower-case letters, digits and `_`, a letter first",
    VERSION: "letters, digits, `.` and `-`, such as v1 or 2026-11",
    DOTTED_PATH: "package.module:Class",
    ADAPTER: "package.module:Class, or the name of a file in contracts/clients",
    CREDENTIAL: "`${NAME}`, a reference to the environment: a secret never stands in a contract",
    BASE_URL: "a URL such as https://api.example.com/v1, without credential, query and last `/`",
    PROBE: "operation/example",
    ROUTE: "a path such as /items/{id}",
    POINTER: "a JSON Pointer such as /error/message",
}

Name = Annotated[str, Field(pattern=NAME, max_length=100, examples=["name"])]
DottedPath = Annotated[str, Field(pattern=DOTTED_PATH, examples=["package.module:Class"])]
Adapter = Annotated[str, Field(pattern=ADAPTER, examples=["package.module:Class"])]
Credential = Annotated[str, Field(pattern=CREDENTIAL, examples=["${API_KEY}"])]
BaseUrl = Annotated[str, Field(pattern=BASE_URL, examples=["https://api.example.com/v1"])]
Probe = Annotated[str, Field(pattern=PROBE, examples=["operation/example"])]
Route = Annotated[str, Field(pattern=ROUTE, examples=["/items"])]
Pointer = Annotated[str, Field(pattern=POINTER, examples=["/message"])]
Service = Annotated[str, Field(pattern=SERVICE, max_length=100, examples=["my_service"])]
Version = Annotated[str, Field(pattern=VERSION, max_length=100, examples=["v1"])]
Expression = Annotated[str, Field(min_length=1, max_length=10_000, examples=["true"])]
Schema = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "format": "json-schema"})]


def _status(value: object) -> object:
    if isinstance(value, str | int) and not isinstance(value, bool) and re.fullmatch(STATUS, str(value)):
        return int(value)
    raise ValueError(f"{shown(value)} is not an HTTP status{ALLOWED}100 to 599")


def _rpc_status(value: object) -> object:
    numbers = {name: number for number, name in STATUS_NAMES.items() if number}
    if isinstance(value, str) and value in numbers:
        return numbers[value]
    raise ValueError(f"{shown(value)} is no failure of gRPC{ALLOWED}{', '.join(numbers)}")


def _day(value: object) -> object:
    try:
        if isinstance(value, str) and re.fullmatch(DAY, value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{shown(value)} is not a date{ALLOWED}a day such as 2026-11-20")


_STATUS_SCHEMA = {"examples": [400], "anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": STATUS}]}
Status = Annotated[int, BeforeValidator(_status), WithJsonSchema(_STATUS_SCHEMA)]
RpcStatus = Annotated[int, BeforeValidator(_rpc_status), WithJsonSchema({"type": "string", "enum": list(STATUS_NAMES.values())[1:]})]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "pattern": DAY, "format": "date", "examples": ["2026-11-20"]})
]


class Part(BaseModel):
    """A part of a file: unknown keys are forbidden, nothing is converted, and no value may be left empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        kind: object = field.annotation
        if value is None and kind is not JsonValue:
            raise PydanticCustomError("empty", "is empty", {"required": field.is_required()})
        return value
