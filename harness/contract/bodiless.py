"""Which answers HTTP leaves without a body."""


def has_no_body(method: str, status: int) -> bool:
    """Whether an answer has none, whatever is sent after its head."""
    return method == "HEAD" or status in (204, 304)
