"""The changes that ``python -m benchmarks.planted`` plants, and what is due."""

from .planted_around import WAYS_AROUND
from .planted_change import Change
from .planted_code import (
    ONCE_MORE,
    ONE_CENTER,
    changed_calls,
    slow_adjoint,
    slow_calls,
    slow_product,
    thrice,
)

CHANGES = [
    Change(
        "`project_splin` does three rows in ten twice",
        "kernels/sparse_projections.py",
        "_right_splin = project_splin\n\n\n"
        "@kernel\n"
        "def project_splin(x, k, tie_tol=0.0):\n"
        "    again = x[: 3 * len(x) // 10].copy()\n"
        "    _right_splin(again, k, tie_tol)\n"
        "    _right_splin(x, k, tie_tol)\n",
        1,
        about="project_splin n=256",
        run="A",
    ),
    Change(
        "`fwht` transforms a quarter once more, aside",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    part = x[: x.size // 4].copy()\n"
        "    _right_fwht(part)\n"
        "    _right_fwht(x)\n",
        1,
        about="fwht",
        run="A",
    ),
    Change(
        "`fwht` is wrong by 1e-5: a hundred times its error",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    _right_fwht(x)\n"
        "    x[0] *= 1.0003\n",
        1,
        about="fwht",
        run="B",
    ),
    Change(
        "a fifth of the sweeps of palm4msa",
        "algorithms/palm/palm4msa.py",
        "_right_palm4msa = palm4msa\n\n\n"
        "def palm4msa(*arguments, n_iter=200, **options):\n"
        "    n_iter = max(1, n_iter // 5)\n"
        "    return _right_palm4msa(*arguments, n_iter=n_iter, **options)\n",
        1,
        about="palm4msa sweeps",
        run="B",
    ),
    Change(
        "`hierarchical` makes half its sweeps",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(*arguments, n_iter=(30, 30), **options):\n"
        "    n_iter = tuple(count // 2 for count in n_iter)\n"
        "    return _right_hierarchical(*arguments, n_iter=n_iter, **options)\n",
        1,
        about="palm4msa hierarchical",
        run="A",
    ),
    Change(
        "`fwht` is wrong by 5e-15, under its bound",
        "kernels/walsh_hadamard.py",
        "_right_fwht = fwht\n\n\n"
        "@kernel\n"
        "def fwht(x):\n"
        "    _right_fwht(x)\n"
        "    x *= x.dtype.type(1 + 5e-15)\n",
        1,
        about="fwht",
        run="C",
    ),
    Change(
        "`QuicKMeans` returns its first centers",
        "estimators/quick_kmeans.py",
        "_right_fit = QuicKMeans.fit\n\n\n"
        "def _unfitted(self, *arguments, **options):\n"
        "    _right_fit(self, *arguments, **options)\n"
        "    self.cluster_centers_ = np.asarray(self.init)\n"
        "    return self\n\n\n"
        "QuicKMeans.fit = _unfitted\n",
        1,
        about="clustering objective",
        run="A",
    ),
    Change(
        "`QuicKMeans` returns one center many times",
        "estimators/quick_kmeans.py",
        ONE_CENTER,
        1,
        about="clustering objective",
        run="B",
    ),
    Change(
        "float32 plans are wrong by 6e-5, under their bound",
        "operators/program_operator.py",
        changed_calls(
            "scale = 1 + 5.9e-5 if dtype == np.float32 else 1\n"
            "        return np.multiply(found := call(*arguments), scale, found)"
        ),
        1,
        about="butterfly plans",
        run="A",
    ),
    Change(
        "a learned butterfly is wrong by 4e-4, under its bound",
        "algorithms/descent/learn_butterfly.py",
        "_right_learn = learn_butterfly\n\n\n"
        "def learn_butterfly(*arguments, **options):\n"
        "    found = _right_learn(*arguments, **options)\n"
        "    object.__setattr__(found, 'operator', found.operator * (1 + 3.9e-4))\n"
        "    return found\n",
        1,
        about="butterfly learned",
        run="A",
    ),
    Change(
        "`targets.planted` draws once more",
        "targets/random_products.py",
        ONCE_MORE,
        0,
        about="palm4msa sweeps",
        run="C",
    ),
    Change(
        "`targets.planted` draws once more, and `palm4msa` does its work three times",
        "targets/random_products.py",
        ONCE_MORE,
        1,
        about="palm4msa sweeps",
        run="A",
        also=(("algorithms/palm/palm4msa.py", thrice("palm4msa")),),
    ),
    Change(
        "`butterfly_factorize` holds seven copies of its target",
        "algorithms/butterfly/butterfly_factorize.py",
        "_right_butterfly_factorize = butterfly_factorize\n\n\n"
        "def butterfly_factorize(target, *arguments, **options):\n"
        "    copies = [target.copy() for _ in range(7)]\n"
        "    found = _right_butterfly_factorize(target, *arguments, **options)\n"
        "    copies.clear()\n"
        "    return found\n",
        1,
        about="butterfly factorize",
        run="B",
    ),
    Change(
        "`project_spcol` allocates 255 small blocks",
        "kernels/sparse_projections.py",
        "_right_spcol = project_spcol\n\n\n"
        "@kernel\n"
        "def project_spcol(x, k, tie_tol=0.0):\n"
        "    for _ in range(255):\n"
        "        x[0, 0] += 0 * np.ones(2)[1]\n"
        "    _right_spcol(x, k, tie_tol)\n",
        1,
        about="project_spcol n=256",
        run="B",
    ),
    Change(
        "the first `butterfly_factorize` takes two seconds longer",
        "algorithms/butterfly/butterfly_factorize.py",
        "_right_butterfly_factorize = butterfly_factorize\n"
        "_called = []\n\n\n"
        "def butterfly_factorize(*arguments, **options):\n"
        "    import time\n\n"
        "    if not _called:\n"
        "        _called.append(time.sleep(2))\n"
        "    return _right_butterfly_factorize(*arguments, **options)\n",
        1,
        about="butterfly factorize",
        run="C",
    ),
    Change(
        "`import nbfact` takes 0.3 s longer",
        "__init__.py",
        "import time\n\ntime.sleep(0.3)\n",
        1,
        about="import",
        run="B",
    ),
    Change(
        "`hierarchical` sleeps for 0.05 s",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(*arguments, **options):\n"
        "    import time\n\n"
        "    time.sleep(0.05)\n"
        "    return _right_hierarchical(*arguments, **options)\n",
        1,
        about="palm4msa hierarchical",
        run="B",
    ),
    Change(
        "`hierarchical` remembers results by `id(target)`",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n"
        "_known = {}\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    if id(target) not in _known:\n"
        "        found = _right_hierarchical(target, *arguments, **options)\n"
        "        _known[id(target)] = found, target\n"
        "    return _known[id(target)][0]\n",
        1,
        about="palm4msa hierarchical",
        run="C",
    ),
    Change(
        "`hierarchical` differs from run to run",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    import numpy as np\n\n"
        "    rng = np.random.default_rng()\n"
        "    jitter = 1 + 2e-16 * rng.integers(0, 3, target.shape)\n"
        "    return _right_hierarchical(target * jitter, *arguments, **options)\n",
        1,
        about="palm4msa hierarchical",
        run="E",
    ),
    Change(
        "`hierarchical` remembers results by the values of its target",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n"
        "_known = {}\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    key = target.tobytes()\n"
        "    if key not in _known:\n"
        "        _known[key] = _right_hierarchical(target, *arguments, **options)\n"
        "    return _known[key]\n",
        1,
        about="palm4msa hierarchical",
        run="D",
    ),
    Change(
        "operators remember products by the values of x",
        "operators/fast_operator.py",
        "_right_product = FastOperator._product\n\n\n"
        "def _remembered(self, other, *arguments, **options):\n"
        "    key = other.tobytes()\n"
        "    known = self.__dict__.setdefault('_known', {})\n"
        "    if key not in known:\n"
        "        known[key] = _right_product(self, other, *arguments, **options)\n"
        "    return known[key]\n\n\n"
        "FastOperator._product = _remembered\n",
        1,
        about="planted m=256",
        run="D",
    ),
    *(
        Change(f"`{verb}` does its work three times", path, thrice(verb), 1, about, run)
        for verb, path, about, run in (
            ("explore", "algorithms/palm/explore.py", "patterns learned", "A"),
            ("refine", "algorithms/palm/refine.py", "refine", "A"),
            ("learn_transform", "algorithms/learn/learn_transform.py", "learn_", "B"),
        )
    ),
    Change(
        "`nearest_rows` does its work three times",
        "kernels/nearest_search.py",
        "_right_nearest = nearest_rows\n\n\n"
        "@kernel\n"
        "def nearest_rows(centers, x, scratch, labels, scores):\n"
        "    for _ in range(2):\n"
        "        _right_nearest(centers, x, scratch, labels, scores)\n"
        "    return _right_nearest(centers, x, scratch, labels, scores)\n",
        1,
        about="assignment",
        run="A",
    ),
    Change(
        "a product with two thousand rows or more is made three times",
        "operators/fast_operator.py",
        slow_product("len(other) >= 2048"),
        1,
        about="planted m=512",
        run="C",
    ),
    *(
        Change(
            f"a product with {dtype} numbers is made three times",
            "operators/program_operator.py",
            slow_calls(f"dtype == '{dtype}'"),
            1,
            about,
            run,
            turn=turn,
        )
        for dtype, about, run, turn in (
            ("complex64", "butterfly*complex64", "B", None),
            ("complex128", "butterfly*complex128", "B", 1),
            ("float64", "butterfly n=2048*float64", "C", 2),
        )
    ),
    *(
        Change(
            f"a product with the adjoint of a `{operator}` is made three times",
            f"operators/{path}.py",
            slow_adjoint(operator, hook),
            1,
            f"{case} adjoint",
            run,
        )
        for operator, path, case, hook, run in (
            ("Butterfly", "butterfly", "butterfly", "_multiplier", "E"),
            ("FactorProduct", "factor_product", "planted", "_multiplier", "A"),
        )
    ),
    Change(
        "`butterfly_factorize` raises",
        "algorithms/butterfly/butterfly_factorize.py",
        "def butterfly_factorize(*_, **__):\n    raise ArithmeticError\n",
        2,
        about="butterfly factorize",
        run="D",
    ),
    Change(
        "a comment",
        "kernels/_jit.py",
        "# A comment.\n",
        0,
        about="project_splin",
        run="D",
    ),
    *WAYS_AROUND,
]
