"""Which provider is meant: by name, by URL, or by what the contract says."""

import os

from harness.contract.agreement import Agreement
from harness.contract.problems import nearest
from harness.exchange import Level
from harness.provider.container import ContainerProvider
from harness.provider.embedded import EmbeddedProvider
from harness.provider.had import NotNamed, Provider, ProviderUnavailable
from harness.provider.stubbed import CREDENTIAL, StubProvider
from harness.provider.url import UrlProvider, is_local, is_url

SHORTEST = 6  # characters of a credential
KINDS = ("stub", "embedded", "container", "live")


class UnknownProvider(LookupError):
    """No provider goes by that name; the message says what is allowed."""


def choose(agreement: Agreement, wanted: str | None) -> Provider:
    """The provider that is wanted; nothing is started yet. UnknownProvider or ProviderUnavailable if it can't be."""
    contract = agreement.contract
    name = wanted or contract.provider.default
    if name == "stub":
        return StubProvider(agreement)
    if name.startswith(("http://", "https://")):
        if not is_url(name):
            raise UnknownProvider(f"`{name}` is no address of a provider: give http://HOST:PORT/PATH, as far as there is a port and a path")
        return UrlProvider(agreement, base_url=name, credential=_credential(agreement, needed=not is_local(name)))
    if name == "live":
        return UrlProvider(agreement, base_url=contract.provider.base_url, credential=_credential(agreement, needed=True))
    if name == "embedded":
        _named(agreement, "embedded")
        return EmbeddedProvider(agreement)
    if name.partition(":")[0] == "container":
        _named(agreement, "container")
        return ContainerProvider(agreement, other=name.partition(":")[2] or None)
    hint = nearest(name, KINDS)
    raise UnknownProvider(f"there is no provider `{name}`: give {', '.join(KINDS)} or a URL" + (f"; {hint}" if hint else ""))


def assure_installed(provider: Provider) -> None:
    """PartMissing when a library that the provider needs is not here; nothing is started."""
    if isinstance(provider, EmbeddedProvider | ContainerProvider):
        provider.assure_installed()


def assure(provider: Provider) -> None:
    """Start what takes an effort to start: ProviderUnavailable here is told once, and not by each of a thousand cases."""
    assure_installed(provider)
    if provider.level is Level.CONTAINER:
        provider.origin()
    elif isinstance(provider, EmbeddedProvider):
        provider.assure_opens()
    elif isinstance(provider, UrlProvider):
        provider.assure_reachable()


def _named(agreement: Agreement, kind: str) -> None:
    if getattr(agreement.contract.provider, kind) is None:
        kinds = ", ".join(kind for kind in KINDS if kind in ("stub", "live") or getattr(agreement.contract.provider, kind) is not None)
        raise NotNamed(f"the contract `{agreement.name}` names no {kind} provider; it can be had as {kinds} or at a URL")


def _credential(agreement: Agreement, *, needed: bool) -> str:
    auth = agreement.contract.provider.auth
    if auth is None:
        return ""
    found = os.environ.get(auth.variable, "")
    if not found and needed:
        raise ProviderUnavailable(f"the provider needs a credential: set the environment variable {auth.variable}")
    if 0 < len(found) < SHORTEST:
        raise ProviderUnavailable(
            f"the credential in {auth.variable} is too short: it is looked for in all that a client shows, and {len(found)} characters "
            f"are found anywhere; give one of at least {SHORTEST}"
        )
    if found or not auth.required:
        return found
    return CREDENTIAL  # made up: what stands in for the provider on this machine takes it, or any
