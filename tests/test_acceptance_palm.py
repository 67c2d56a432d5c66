"""palm4msa and hierarchical against the answers of pyfaust 3.42.2.

The answers are in the shared acceptance data; without it these tests are skipped.
"""

import json

import numpy as np
import pytest
from samples import ACCEPTANCE, faust_cases

import nbfact as nf
from nbfact.studies.tradeoff import dipoles

SETS = {
    "sp": nf.constraints.Sp,
    "splin": nf.constraints.SpLin,
    "normcol": nf.constraints.NormCol,
    "skperm": nf.constraints.SkPerm,
}
pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not ACCEPTANCE.exists(), reason="no shared acceptance data"),
]


def cases(kind):
    return [pytest.param(case, id=case["id"]) for case in faust_cases(kind)]


def target_of(source):
    if "file" in source:
        data = np.load(ACCEPTANCE / "faust-500x32.npz")["data"]
        return data * (1 + 1j) if "(1+1j)" in source["file"] else data
    text = source["generator"]
    if text.startswith("scipy.linalg.hadamard("):
        return nf.targets.hadamard(int(text.split("(")[1].split(")")[0]))
    if text.startswith("unitary DFT("):
        return nf.targets.dft(int(text.split("(")[1].split(")")[0]))
    if "m" in source:
        return dipoles(source["m"], source["n"])
    rng = np.random.default_rng(source["seed"])
    draw = rng.standard_normal if "standard_normal" in text else rng.random
    return draw(source["shape"])


def constraint(entry):
    name, shape, value = entry
    if name == "skperm(normalized=False)":
        return nf.constraints.SkPerm(shape, value, normalized=False)
    return SETS[name](tuple(shape), value)


def check_fingerprint(case, target):
    if "fingerprint" in case:
        norm = case["fingerprint"]["fro"]
        assert np.linalg.norm(target) == pytest.approx(norm, rel=1e-10)


@pytest.mark.parametrize("case", cases("palm4msa"))
def test_palm4msa(case):
    target, expect = target_of(case["input"]), case["expect"]
    check_fingerprint(case, target)
    constraints = [constraint(entry) for entry in case["constraints"]]
    backward = case["input"].get("is_update_way_R2L", "num_its" in case)
    order = "right-to-left" if backward else "left-to-right"
    n_iter = case.get("num_its", 200)
    got = nf.palm4msa(target, constraints, n_iter=n_iter, order=order, scaling="sweep")
    assert got.relative_error == got.history.errors[-1]
    if "rel_err_200" in expect:
        assert got.relative_error == pytest.approx(expect["rel_err_200"], abs=1e-4)
        return
    if "backend2016_rel_err" in expect:
        assert got.relative_error <= 1e-10
    else:
        for sweep, answer in expect["backend2016"].items():
            error = got.history.errors[int(sweep) - 1]
            if len(constraints) == 2:
                assert error == pytest.approx(answer["rel_err"], abs=1e-4)
            else:
                assert error <= 1.02 * answer["rel_err"]
    counts = [factor.nnz for factor in got.factors]
    assert all(a <= b for a, b in zip(counts, expect["nnz"], strict=True))


@pytest.mark.parametrize("case", cases("hierarchical"))
def test_hierarchical(case):
    target, expect = target_of(case["input"]), case["expect"]
    check_fingerprint(case, target)
    preset = case.get("preset", "")
    if "fact" in case:
        lists = [[constraint(e) for e in case[key]] for key in ("fact", "res")]
        got = nf.hierarchical(target, *lists, n_iter=case["num_its"])
    elif preset.startswith("['rectmat'"):
        j, k, s = (int(number) for number in preset.split("]")[0].split(",")[1:])
        got = nf.hierarchical(target, nf.presets.rectmat(j, k, s))
    else:
        got = nf.hierarchical(target, "dft" if "dft" in preset else "hadamard")
    backends = ("backend2016_rel_err", "backend2020_rel_err")
    best = min((expect[key] for key in backends if key in expect), default=0.0)
    bound = 1.05 * best
    assert got.relative_error <= max(bound, 1e-10)
    counts = [factor.nnz for factor in got.factors]
    assert all(a <= b for a, b in zip(counts, expect["nnz"], strict=True))


ROWS = {
    "hadamard": ("hier2016 splincol", "hier2020 splincol"),
    "hadamard_skperm": ("hier2016 skperm", "hier2020 skperm"),
    "hadamard_simple": ("hierarchical hadamard_simple 2020",),
}


def disturbed(column, seed):
    """Return the matrix of a column of the data, and the one that errors refer to."""
    clean = nf.targets.hadamard(32)
    if column.startswith("noise"):
        noise = np.random.default_rng(seed).standard_normal((32, 32))
        size = float(column.split()[1]) * np.linalg.norm(clean)
        return clean + noise * (size / np.linalg.norm(noise)), clean
    rng = np.random.default_rng(100 + seed)
    matrix = clean[rng.permutation(32)]
    if "col permuted" in column:
        matrix = matrix[:, rng.permutation(32)] * rng.choice([-1, 1], 32)
    return matrix, matrix


@pytest.mark.slow
@pytest.mark.parametrize("preset", ROWS)
def test_no_preset_is_worse_under_noise(preset):
    """The median error over the seeds is at most that of FAµST's better backend."""
    file = ACCEPTANCE / "faust-noise-robustness.json"
    results = json.loads(file.read_text())["results"]
    for column, first in results[ROWS[preset][0]].items():
        best = min(np.median(results[row][column]) for row in ROWS[preset])
        errors = []
        for seed in range(len(first)):
            matrix, clean = disturbed(column, seed)
            got = nf.hierarchical(matrix, preset)
            errors.append(nf.relative_error(clean, got.operator))
        assert np.median(errors) <= max(1.02 * best, 1e-14), column
