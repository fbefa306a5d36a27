"""``harness openapi``."""

import json
from collections.abc import Callable

from click.testing import Result
from openapi_spec_validator import OpenAPIV31SpecValidator


def test_the_document_is_json_that_an_independent_validator_accepts(harness: Callable[..., Result]) -> None:
    result = harness("openapi", "store@v1")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["info"]["version"] == "v1"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_a_service_with_versions_means_its_newest(harness: Callable[..., Result]) -> None:
    assert json.loads(harness("openapi", "store").stdout)["info"]["version"] == "v2"
