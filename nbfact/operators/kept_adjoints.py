"""KeptAdjoints: operators that make their transpose and their adjoint only once."""

from typing import Any

from .fast_operator import FastOperator


class KeptAdjoints(FastOperator):
    """Base class of operators that keep their transpose and their adjoint.

    ``x @ A`` and `rmatvec` multiply by these, which plan their products when they are
    first used. A subclass implements ``_reversed``.
    """

    _made: tuple[str, ...] = ("_adjoints",)

    def _forget(self) -> None:
        """Start without the adjoints that are made when first used."""
        super()._forget()
        self._adjoints: dict[str, Any] = {}

    def _reversed(self, name: str) -> Any:
        """Return the transpose where `name` is "T", and the adjoint where it is "H"."""
        raise NotImplementedError(f"a {type(self).__name__} must implement _reversed")

    def _transpose(self) -> Any:
        return self._once("T")

    def _adjoint(self) -> Any:
        return self._once("T" if self.dtype.kind != "c" else "H")

    def _once(self, name):
        """Return what `_reversed` returns, made once."""
        found = self._adjoints.get(name)
        if found is None:
            found = self._adjoints[name] = self._reversed(name)
        return found
