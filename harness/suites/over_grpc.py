"""Which operations a client can do over gRPC, and where its provider speaks it."""

from harness.suites.case import Setting


def operations_over_grpc(setting: Setting) -> frozenset[str]:
    """Those that the contract has over gRPC and the client has a method for; none when it can't be made to speak it."""
    declared = setting.agreement.contract.provider.grpc
    if declared is None or not setting.binding.over_grpc:
        return frozenset()
    return frozenset(name for name in declared.operations if setting.binding.binds(name))


def grpc_address(setting: Setting) -> str | None:
    """Where the provider speaks gRPC, starting it if it must be; None when it does not."""
    ask = getattr(setting.provider, "grpc_address", None)
    address = ask() if callable(ask) else None
    return str(address) if address else None
