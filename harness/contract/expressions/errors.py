"""The two ways an expression goes wrong: it can't be compiled, or it has no value for what it was given."""

from collections.abc import Callable


class ExpressionError(ValueError):
    """An expression that can't be compiled; ``column`` counts its characters from 1, over line ends."""

    def __init__(self, message: str, *, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        return f"column {self.column}: {self.message}" + (f"; {self.hint}" if self.hint else "")


class EvaluationError(ValueError):
    """An expression that has no value for this scope; ``column`` is 0 while the place is unknown.

    ``explain`` is called when the error leaves the evaluation: most never do, because they are absorbed.
    """

    def __init__(self, message: str, *, column: int = 0, explain: Callable[[], str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.explain = explain

    def __str__(self) -> str:
        return f"column {self.column}: {self.message}" if self.column else self.message


class BudgetError(EvaluationError):
    """An evaluation that takes more steps than it may; no ``||`` or ``&&`` absorbs it."""
