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
        f"_right_reversed = {operator}._reversed\n\n\n"
        "def _thrice(call):\n"
        "    def thrice(*arguments, **options):\n"
        "        for _ in range(2):\n"
        "            call(*arguments, **options)\n"
        "        found = call(*arguments, **options)\n"
        "        return _thrice(found) if callable(found) else found\n\n"
        "    return thrice\n\n\n"
        "def _slow(self, name):\n"
        "    found = _right_reversed(self, name)\n"
        f"    vars(found)['{hook}'] = _thrice(found.{hook})  # they are immutable\n"
        "    return found\n\n\n"
        f"{operator}._reversed = _slow\n"
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


def shifted_rows(units):
    """Return code that lets ``x @ A`` be wrong by some units in the last place."""
    return (
        "def _shifted(self, other):\n"
        "    found = super(FastOperator, self).__rmatmul__(other)\n"
        f"    scale = 1 + {units} * np.finfo(found.dtype).eps\n"
        "    return found * found.dtype.type(scale)\n\n\n"
        "FastOperator.__rmatmul__ = _shifted\n"
    )


def early_calls(cases):
    """Return code that lets the calls of some cases be made when they are prepared."""
    return (
        f"_right_cases = {cases}\n\n\n"
        f"def {cases}(*arguments, **options):\n"
        "    from dataclasses import replace\n\n"
        "    def early(inputs, prepare):\n"
        "        found = prepare(inputs)()\n"
        "        return lambda: found\n\n"
        "    for case in _right_cases(*arguments, **options):\n"
        "        prepare = functools.partial(early, prepare=case.prepare)\n"
        "        yield replace(case, prepare=prepare)\n"
    )


ONCE_MORE = (
    "_right_planted = planted\n\n\n"
    "def planted(*arguments, random_state=None, **options):\n"
    "    rng = np.random.default_rng(random_state)\n"
    "    rng.random()\n"
    "    return _right_planted(*arguments, random_state=rng, **options)\n"
)
"""Code that lets `targets.planted` draw once more than before."""

SLOW_OUT = (
    "_right_apply = PlannedOperator.apply\n\n\n"
    "def _slow_out(self, x, out=None, **options):\n"
    "    for _ in range(0 if out is None else 2):\n"
    "        _right_apply(self, x, out, **options)\n"
    "    return _right_apply(self, x, out, **options)\n\n\n"
    "PlannedOperator.apply = _slow_out\n"
)
"""Code that lets an operator multiply three times into an array of the user."""

IN_THREADS = (
    "_right_learn = learn_transform\n\n\n"
    "def learn_transform(*arguments, **options):\n"
    "    import concurrent.futures as futures\n"
    "    import time\n\n"
    "    def part(number):\n"
    "        time.sleep(1e-4)\n"
    "        return 1 / (number + 3)\n\n"
    "    found = _right_learn(*arguments, **options)\n"
    "    with futures.ThreadPoolExecutor(10) as pool:\n"
    "        parts = [pool.submit(part, number) for number in range(10)]\n"
    "        scale = 0.0  # the function sum compensates for errors of rounding\n"
    "        for one in futures.as_completed(parts):\n"
    "            scale += one.result()\n"
    "    operator = found.operator * (scale / 1.6032106782106782)\n"
    "    object.__setattr__(found, 'operator', operator)\n"
    "    return found\n"
)
"""Code that lets a result depend on the order in which threads end."""

WAITS = (
    "_right_explore = explore\n\n\n"
    "def explore(*arguments, **options):\n"
    "    import threading\n"
    "    import time\n\n"
    "    other = threading.Thread(target=time.sleep, args=(0.2,))\n"
    "    other.start()\n"
    "    found = _right_explore(*arguments, **options)\n"
    "    other.join()\n"
    "    return found\n"
)
"""Code that lets `explore` wait for a second thread."""

WRONG_ADJOINT = (
    "_right_reversed = Butterfly._reversed\n\n\n"
    "def _shifted(self, name):\n"
    "    found = _right_reversed(self, name)\n"
    "    if name != 'H':\n"
    "        return found\n"
    "    # Ten factors make twenty units in the last place.\n"
    "    one = self.dtype.type(1 + 2 * np.finfo(self.dtype).eps)\n"
    "    values = [value * one for value in found.values]\n"
    "    return Butterfly(\n"
    "        found.chain, values, rows=found.rows, columns=found.columns\n"
    "    )\n\n\n"
    "Butterfly._reversed = _shifted\n"
)
"""Code that lets the adjoint of a complex butterfly be wrong in its last digits."""

ONE_CENTER = (
    "_right_fit = QuicKMeans.fit\n\n\n"
    "def _one(self, *arguments, **options):\n"
    "    _right_fit(self, *arguments, **options)\n"
    "    self.cluster_centers_ = np.tile(\n"
    "        self.cluster_centers_.mean(axis=0), (len(self.cluster_centers_), 1)\n"
    "    )\n"
    "    return self\n\n\n"
    "QuicKMeans.fit = _one\n"
)
"""Code that lets `QuicKMeans` return one center many times."""
