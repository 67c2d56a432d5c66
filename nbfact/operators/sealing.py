"""Sealed: operators whose attributes cannot be set, and whose arrays are read-only."""

from typing import Any, NoReturn

import numpy as np
import scipy.sparse as sp

from .linear_operator import LinearOperator


class _Bare(LinearOperator):
    """An operator with nothing but what SciPy's constructor sets."""

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return x


_SCIPYS = {
    name: value
    for name, value in vars(_Bare(np.float64, (1, 1))).items()
    if name not in ("dtype", "shape")
}
"""What SciPy's constructor gives to every operator alike. It is copied, because the
checks of that constructor are a quarter of the time in which a `Butterfly` is made."""


class Sealing(type):
    """The class of the operator classes, which seals each operator when it is made."""

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """Return a new operator whose attributes cannot be set any more."""
        made = super().__call__(*arguments, **options)
        made._seal()
        return made


class Sealed(LinearOperator, metaclass=Sealing):
    """A linear operator that does not change once its constructor has returned.

    Products keep what they compute from the arrays when first used, so that a later
    change of an array would be ignored. Pickles and copies are sealed too.

    Attributes
    ----------
    _owned : tuple of str
        Names of the attributes whose arrays become read-only: arrays, sparse arrays,
        and tuples of them.
    _made : tuple of str
        Names of the dictionaries that are filled at first use, which no pickle holds.
    """

    _owned: tuple[str, ...] = ()
    _made: tuple[str, ...] = ()

    def __init__(self, dtype: Any, shape: tuple[int, int]) -> None:
        m, n = shape
        # An array that NumPy makes has the one dtype of its kind, and products compare
        # the two by identity. A dtype from a pickle is another one.
        dtype = np.dtype(np.dtype(dtype).char)
        self.__dict__.update(_SCIPYS, dtype=dtype, shape=(int(m), int(n)))

    def __getstate__(self) -> dict:
        # SciPy 1.18 keeps a module in each operator, and a module cannot be pickled.
        left_out = ("_xp", "_sealed", *self._made)
        state = {k: v for k, v in self.__dict__.items() if k not in left_out}
        slots = _slots(type(self))
        return state | {k: getattr(self, k) for k in slots if hasattr(self, k)}

    def __setstate__(self, state: dict) -> None:
        slots = _slots(type(self))
        for name in slots & state.keys():
            object.__setattr__(self, name, state[name])
        self.__dict__.update({k: v for k, v in state.items() if k not in slots})
        Sealed.__init__(self, self.dtype, self.shape)
        self._forget()
        self._seal()

    def _forget(self) -> None:
        """Start without what is made when first used: the dictionaries of `_made`."""

    def _seal(self) -> None:
        """Make the arrays of `_owned` read-only, and refuse to set attributes."""
        for name in self._owned:
            owned = getattr(self, name)
            if owned is not None:
                _make_read_only(owned)
        self.__dict__["_sealed"] = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sealed" in self.__dict__:
            self._refuse_change(name)
        object.__setattr__(self, name, value)  # it finds the slots of a subclass

    def __delattr__(self, name: str) -> None:
        self._refuse_change(name)

    def _refuse_change(self, name: str) -> NoReturn:
        kind = type(self).__name__
        raise AttributeError(
            f"cannot change {name!r}: a {kind} is immutable, make a new operator"
        )


def _slots(kind: type) -> set[str]:
    """Return the names of the attributes that a class and its bases keep in slots."""
    found = set()
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):
                name = f"_{base.__name__.lstrip('_')}{name}"  # as Python does
            found.add(name)
    return found - {"__dict__", "__weakref__"}


def _make_read_only(value: Any) -> None:
    """Make the arrays of an attribute read-only, those of sparse factors included."""
    for one in value if type(value) is tuple else (value,):
        if type(one) is np.ndarray:
            one.setflags(write=False)
        elif type(one) is tuple:
            _make_read_only(one)
        elif sp.issparse(one):
            _make_read_only((one.data, one.indices, one.indptr))
