"""Changes of the cases themselves, by which a version would forgive what it does."""

from .planted_change import Change
from .planted_code import ONE_CENTER, early_calls, thrice

CHANGED_CASES = [
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
