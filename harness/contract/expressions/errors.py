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

    ``explain`` is called when somebody reads the message: of most errors nobody does.
    """

    def __init__(self, message: str, *, column: int = 0, explain: Callable[[], str] | None = None) -> None:
        super().__init__(message)
        self._message = message
        self.column = column
        self._explain = explain

    @property
    def message(self) -> str:
        """What is wrong, and what could be meant instead."""
        hint = self._explain() if self._explain else ""
        return f"{self._message}; {hint}" if hint else self._message

    def at(self, column: int) -> "EvaluationError":
        """The same error, at a place that is known."""
        return type(self)(self._message, column=column, explain=self._explain)

    def within(self, name: str) -> "EvaluationError":
        """The same error, in a definition that was asked for by its name."""
        return type(self)(f"in `{name}`, {self._placed(self._message)}", explain=self._explain)

    def __str__(self) -> str:
        return self._placed(self.message)

    def _placed(self, message: str) -> str:
        return f"column {self.column}: {message}" if self.column else message


class BudgetError(EvaluationError):
    """An evaluation that takes more steps than it may; no ``||`` or ``&&`` absorbs it."""
