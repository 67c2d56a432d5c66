"""Code that makes functions and operators of nbfact slow or wrong, as text."""


def thrice(function):
    """Return code that lets a function of Python do its work three times."""
    return (
        f"_right_{function} = {function}\n\n\n"
        f"def {function}(*arguments, **options):\n"
        "    for _ in range(2):\n"
        f"        _right_{function}(*arguments, **options)\n"
        f"    return _right_{function}(*arguments, **options)\n"
    )


def slow_adjoint(operator, hook):
    """Return code that lets an operator multiply three times by its adjoint.

    The method with the name `hook` multiplies, or returns a function that does.
    """
    return (
        f"_right_adjoint = {operator}._adjoint\n\n\n"
        "def _thrice(call):\n"
        "    def thrice(*arguments, **options):\n"
        "        for _ in range(2):\n"
        "            call(*arguments, **options)\n"
        "        found = call(*arguments, **options)\n"
        "        return _thrice(found) if callable(found) else found\n\n"
        "    return thrice\n\n\n"
        "def _slow(self):\n"
        "    found = _right_adjoint(self)\n"
        f"    vars(found)['{hook}'] = _thrice(found.{hook})  # they are immutable\n"
        "    return found\n\n\n"
        f"{operator}._adjoint = _slow\n"
    )


def changed_calls(body):
    """Return code that changes the functions with which programs multiply.

    They take `arguments`; `call` is the right one, and `dtype` that of the numbers.
    """
    return (
        "_right_multiplier = ProgramOperator._multiplier\n\n\n"
        "def _changed(self, dtype, shape, right=_right_multiplier):\n"
        "    call = right(self, dtype, shape)\n\n"
        "    def multiply(*arguments):\n"
        f"        {body}\n\n"
        "    return multiply\n\n\n"
        "ProgramOperator._multiplier = _changed\n"
    )


def slow_calls(condition):
    """Return code that lets programs multiply three times under a condition."""
    return changed_calls(
        f"return [call(*arguments) for _ in range(3 if {condition} else 1)][-1]"
    )


def slow_product(condition):
    """Return code that lets all operators multiply three times under a condition."""
    return (
        "_right_product = FastOperator._product\n\n\n"
        "def _slow(self, other, *arguments, **options):\n"
        f"    for _ in range(2 if {condition} else 0):\n"
        "        _right_product(self, other, *arguments, **options)\n"
        "    return _right_product(self, other, *arguments, **options)\n\n\n"
        "FastOperator._product = _slow\n"
    )


ONCE_MORE = (
    "_right_planted = planted\n\n\n"
    "def planted(*arguments, random_state=None, **options):\n"
    "    rng = np.random.default_rng(random_state)\n"
    "    rng.random()\n"
    "    return _right_planted(*arguments, random_state=rng, **options)\n"
)
"""Code that lets `targets.planted` draw once more than before."""
