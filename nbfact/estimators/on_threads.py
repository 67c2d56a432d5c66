"""The decorator by which the methods of an estimator use its parameter `threads`."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .._core.threads import threads

Method = TypeVar("Method", bound=Callable[..., Any])


def on_threads(method: Method) -> Method:
    """Return a method that runs within ``nbfact.threads(self.threads)``."""

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **options: Any) -> Any:
        with threads(self.threads):
            return method(self, *args, **options)

    return cast(Method, wrapped)
