"""Changes that get around a comparison: rare ways to multiply, and changed cases."""

from .planted_change import Change
from .planted_code import (
    IN_THREADS,
    ONE_CENTER,
    SLOW_OUT,
    WAITS,
    WRONG_ADJOINT,
    early_calls,
    shifted_rows,
    thrice,
)

WAYS_AROUND = [
    Change(
        "`x @ A` is wrong by 20 eps, under its bound",
        "operators/fast_operator.py",
        shifted_rows(20),
        1,
        about="butterfly rows",
        run="F",
    ),
    Change(
        "the adjoint of a complex `Butterfly` is wrong by 20 eps, under its bound",
        "operators/butterfly.py",
        WRONG_ADJOINT,
        1,
        about="butterfly adjoint",
        run="F",
        turn=1,
    ),
    Change(
        "a product into the user's array is made three times",
        "operators/planned_operator.py",
        SLOW_OUT,
        1,
        about="butterfly out",
        run="F",
    ),
    Change(
        "`hierarchical` keeps a copy of each target",
        "algorithms/palm/hierarchical.py",
        "_right_hierarchical = hierarchical\n"
        "_kept = []\n\n\n"
        "def hierarchical(target, *arguments, **options):\n"
        "    _kept.append(target.copy())\n"
        "    return _right_hierarchical(target, *arguments, **options)\n",
        1,
        about="palm4msa hierarchical",
        run="F",
    ),
    Change(
        "`import nbfact` imports scikit-learn where it is installed",
        "__init__.py",
        "try:\n    import sklearn.cluster\nexcept ImportError:\n    pass\n",
        1,
        about="import",
        run="F",
    ),
    Change(
        "the result of `learn_transform` depends on the order in which threads end",
        "algorithms/learn/learn_transform.py",
        IN_THREADS,
        1,
        about="learn_transform",
        run="F",
    ),
    Change(
        "`explore` waits for a second thread",
        "algorithms/palm/explore.py",
        WAITS,
        1,
        about="patterns learned",
        run="F",
    ),
    Change(
        "the case of `project_spcol` is gone",
        "cases/projections.py",
        '    "spcol2": (project_spcol,',
        2,
        about="project_spcol n=256",
        run="C",
        old='    "spcol": (project_spcol,',
    ),
    Change(
        "the cases of verbs accept any slowdown",
        "cases/public_verbs.py",
        "            slack=math.inf,\n            slowdown=1000.0,\n        )\n",
        2,
        about="permutation learned",
        run="F",
        old="            slack=math.inf,\n        )\n",
    ),
    Change(
        "they accept any slowdown, and `refine` does its work three times",
        "algorithms/palm/refine.py",
        thrice("refine"),
        1,
        about="refine",
        run="F",
    ),
    Change(
        "the bound of learned butterflies is a hundred times as large",
        "cases/butterflies.py",
        "bound=1e-2 * math.sqrt(n),",
        2,
        about="butterfly learned",
        run="F",
        old="bound=1e-4 * math.sqrt(n),",
    ),
    Change(
        "the case says that there is no error, and `QuicKMeans` returns one center",
        "cases/clustering.py",
        "ClusteringCase.error = lambda *_: 0.0\n",
        1,
        about="clustering objective",
        run="F",
        also=(("estimators/quick_kmeans.py", ONE_CENTER),),
    ),
    Change(
        "the cases of `butterfly_factorize` have their results when they are prepared",
        "cases/butterflies.py",
        early_calls("factorize_cases"),
        1,
        about="butterfly factorize",
        run="F",
    ),
]
