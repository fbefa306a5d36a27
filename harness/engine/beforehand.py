"""What is seen to before the cases, so that it is told once: that client and provider can be had, and that the key is right."""

import asyncio
import os
from time import monotonic

from harness.checks.examples import example_parts
from harness.checks.judging import shown
from harness.client.bound import without
from harness.client.making import assure_makes
from harness.contract.agreement import OperationTerms
from harness.contract.model import Auth
from harness.contract.problems import ContractError, Problem
from harness.exchange import Request, Response
from harness.provider.choice import assure
from harness.provider.had import ProviderUnavailable
from harness.provider.stubbed import StubProvider
from harness.provider.url import UrlProvider
from harness.suites.case import Setting
from harness.suites.staging import Staging

REFUSED = (401, 403)
NOT_THERE = (404, 405)
SHOWN_CHARACTERS = 200
MADE = 'say under `made:` how another good one is made, such as `made: \'{"name": "n" + string(number), "text": text}\'`'


def assure_client(setting: Setting) -> None:
    """UnknownClient when the client can't be made, ContractError when it can't be tried; nothing is asked of the provider."""
    _assure_items(setting)
    stub = StubProvider(setting.agreement)
    assure_makes(setting.binding, upstream=stub.upstream, credential=stub.credential)


def assure_provider(setting: Setting) -> None:
    """ProviderUnavailable when the provider can't be had, or, at a URL, refuses whatever is asked of it."""
    assure(setting.provider)
    if isinstance(setting.provider, UrlProvider):
        _probe(setting, setting.provider)


def _assure_items(setting: Setting) -> None:
    """ContractError when the items that are made up for a call that is split are none that the contract allows."""
    staging, problems = Staging(setting), []
    for terms in staging.bound():
        misfit = staging.misfit(terms) if staging.splits(terms) else None
        if misfit is not None:
            item, clause = misfit
            place = setting.agreement.document.key_place(("operations", terms.name, "bind", "split"))
            message = f"`{terms.name}` is tried with items that are made up, such as {shown(item)}, and that breaks {clause}"
            problems.append(Problem(place, message, hint=MADE))
    if problems:
        raise ContractError(problems)


def _probe(setting: Setting, provider: UrlProvider) -> None:
    """Ask for what the contract names as the cheapest example, and, if that needs no credential, for one that does."""
    operation, _, example = setting.agreement.contract.provider.probe.partition("/")
    terms = setting.agreement.operations[operation]
    if not _answer(setting, provider, terms, example, "the contract's probe") or _unauthenticated(terms):
        return
    for other in setting.agreement.operations.values():
        if other.model.method == "GET" and _unauthenticated(other) and other.model.examples:
            name = next(iter(other.model.examples))
            _answer(setting, provider, other, name, f"the contract's example {other.name}/{name}")
            return


def _answer(setting: Setting, provider: UrlProvider, terms: OperationTerms, example: str, what: str) -> bool:
    """Whether there was an answer; ProviderUnavailable when it says that others will be no better."""
    request = Staging(setting).request(terms, example_parts(terms.model.examples[example]))
    try:
        response = asyncio.run(provider.upstream(monotonic).answer(request))
    except OSError:  # the cases will tell
        return False
    auth = setting.agreement.contract.provider.auth
    if auth is not None and response.status in _unauthenticated(terms).union(REFUSED):
        raise ProviderUnavailable(f"{_answered(provider, request, response, what)}; {_key(auth, provider.credential)}")
    if response.status in NOT_THERE and response.status not in terms.model.responses:
        told = "is the path of this URL the one under which the contract's paths begin, as in its `base_url`"
        raise ProviderUnavailable(
            f"{_answered(provider, request, response, what)}; {told} ({setting.agreement.contract.provider.base_url})?"
        )
    return True


def _unauthenticated(terms: OperationTerms) -> set[int]:
    """The statuses that refuse a credential."""
    return {status for status, shape in terms.model.responses.items() if shape.when == "unauthenticated"}


def _answered(provider: UrlProvider, request: Request, response: Response, what: str) -> str:
    said = " ".join(response.body[:SHOWN_CHARACTERS].decode("utf-8", "replace").split())
    told = f"{provider.name} answers {what}, {request.method} {request.target}, with {response.status}"
    return without(provider.credential, f"{told}: {said}" if said else told)


def _key(auth: Auth, credential: str) -> str:
    name = auth.variable
    if os.environ.get(name):
        told = f"the credential in the environment variable {name} ({len(credential)} characters) is refused"
        return f"{told}: is it the one for this provider?"
    made_up = "so a credential was made up" if credential else "so none was sent"
    return f"the environment variable {name} is not set, {made_up}: set it to one that this provider takes"
