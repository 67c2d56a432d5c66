"""Print what other packages do on this machine, one task for each, beside nbfact.

``python -m benchmarks.software`` prints the table of ``docs/bibliography/software.md``.
Install what shall be measured first:
``pip install -e . pyfaust lazylinop psutil pandas torch-structured dictlearn fht-cpu
pyfwht paulikit hadamard-transform``. A package that is missing or fails is a row that
says so. Each package runs in a process of its own. One thread; the least of many
calls, which take turns with nbfact's on the same input; each result is compared.
"""

import importlib.metadata
import os
import subprocess
import sys
import time

import numpy as np

import nbfact as nf

SECONDS = 2.0
"""Time for which the two calls of a task take turns."""

TOLERANCE = 1e-5
"""Largest relative difference from nbfact's result, in single precision."""

ORDER, COLUMNS = 1024, 16


def faust(rng):
    """Multiply by the fast Hadamard transform."""
    import pyfaust

    pyfaust.WARNING_ON_C_CONTIGUOUS_MATMUL = False
    theirs, ours = pyfaust.wht(ORDER), nf.transforms.hadamard(ORDER)
    x = rng.standard_normal((ORDER, COLUMNS))
    return lambda: theirs @ x, lambda: ours @ x


def lazylinop(rng):
    """Multiply by the fast Hadamard transform."""
    from lazylinop.butterfly import hadamard

    theirs, ours = hadamard(ORDER), nf.transforms.hadamard(ORDER)
    x = rng.standard_normal((ORDER, COLUMNS))
    return lambda: theirs @ x / np.sqrt(ORDER), lambda: ours @ x


def lazylinop_factorize(rng):
    """Factor the Hadamard matrix into a butterfly."""
    from lazylinop.butterfly import Chain, ksd

    target, chain = nf.targets.hadamard(256), Chain.square_dyadic((256, 256))
    return (
        lambda: ksd(target, chain).toarray(),
        lambda: nf.butterfly_factorize(target).operator.toarray(),
    )


def torch_structured(rng):
    """Multiply by a butterfly."""
    import torch
    from torch_structured import Butterfly

    torch.set_num_threads(1)
    layer = Butterfly(ORDER, ORDER, bias=False).eval()
    ours = nf.Butterfly.from_twiddle(layer.twiddle.detach().numpy())
    x = rng.standard_normal((COLUMNS, ORDER)).astype(np.float32)
    rows, columns = torch.from_numpy(x), np.ascontiguousarray(x.T)

    def theirs():
        with torch.no_grad():
            return layer(rows).numpy().T

    return theirs, lambda: ours @ columns


def dictlearn(rng):
    """Find sparse codes of 512 signals, 4 atoms each, in a dictionary of 64 x 256."""
    from dictlearn import sparse_encode

    atoms = rng.standard_normal((64, 256))
    atoms /= np.linalg.norm(atoms, axis=0)
    signals = rng.standard_normal((64, 512))
    rows, vectors = np.ascontiguousarray(atoms.T), np.ascontiguousarray(signals.T)

    def theirs():
        codes = sparse_encode(vectors, rows, algorithm="batch_omp", n_nonzero_coefs=4)
        return codes.T

    return theirs, lambda: nf.omp(atoms, signals, n_nonzero=4)


def fht_cpu(rng):
    """Transform vectors by the fast Hadamard transform."""
    from fht_cpu import fht

    ours = nf.transforms.hadamard(ORDER, normalized=False)
    x = rng.standard_normal((ORDER, COLUMNS)).astype(np.float32)
    return lambda: fht(x, axis=0, num_threads=1), lambda: ours @ x


def pyfwht(rng):
    """Transform a vector by the fast Hadamard transform."""
    import pyfwht

    ours = nf.transforms.hadamard(ORDER, normalized=False)
    x = rng.standard_normal(ORDER)

    def theirs():
        out = x.copy()
        pyfwht.transform(out, backend=pyfwht.Backend.CPU)
        return out

    return theirs, lambda: ours @ x


def hadamard_transform(rng):
    """Transform a vector by the fast Hadamard transform."""
    import torch
    from hadamard_transform import hadamard_transform

    torch.set_num_threads(1)
    ours, x = nf.transforms.hadamard(ORDER), rng.standard_normal(ORDER)
    vector = torch.from_numpy(x)
    return lambda: hadamard_transform(vector).numpy(), lambda: ours @ x


def paulikit(rng):
    """Find the Pauli coefficients of a matrix of order 64."""
    from paulikit.algorithms.fwht import fwht_pauli_terms

    matrix = rng.standard_normal((64, 64))
    matrix += matrix.T

    def theirs():
        return np.sort(np.abs(list(fwht_pauli_terms(matrix).values())))

    def ours():
        found = np.abs(pauli_coefficients(matrix)).ravel()
        return np.sort(found[found > 1e-12])

    return theirs, ours


def pauli_coefficients(matrix):
    """Return the coefficients of a real symmetric matrix, up to signs.

    Row x and column z hold that of the product of X on the bits of x and Z on those of
    z (Y on both). The diagonals i xor x are transformed.
    """
    indices = np.arange(len(matrix))
    diagonals = matrix[indices[None], indices[None] ^ indices[:, None]]
    nf.kernels.fwht_rows(diagonals)
    return diagonals / len(matrix)


TASKS = {
    "pyfaust": [faust],
    "lazylinop": [lazylinop, lazylinop_factorize],
    "torch-structured": [torch_structured],
    "dictlearn": [dictlearn],
    "fht-cpu": [fht_cpu],
    "pyfwht": [pyfwht],
    "hadamard-transform": [hadamard_transform],
    "paulikit": [paulikit],
}
"""The tasks of each distribution."""


def least(calls):
    """Return the least time of each call, in seconds; the calls take turns."""
    times = [np.inf] * len(calls)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for index, call in enumerate(calls):
            began = time.perf_counter()
            call()
            times[index] = min(times[index], time.perf_counter() - began)
    return times


def row(task):
    """Measure a task, and return the cells of its row after those of the package."""
    began = time.perf_counter()
    theirs, ours = task(np.random.default_rng(0))
    seconds = time.perf_counter() - began
    expected, found = np.asarray(ours()), np.asarray(theirs())
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    if not error <= TOLERANCE:
        raise ValueError(f"its result differs from nbfact's by {error:.1g}")
    times = [seconds * 1e6 for seconds in least([theirs, ours])]
    ratio = times[0] / times[1]
    cells = [
        f"{seconds:.1f}",
        task.__doc__.rstrip("."),
        *(f"{t:.3g}" for t in times),
        f"{ratio:.2f}",
    ]
    return " | ".join(cells)


def measured(task):
    """Return the row of a task, measured in a process of its own."""
    name = task.__name__
    code = f"from benchmarks import software; print(software.row(software.{name}))"
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        return f"| {task.__doc__} | | | fails: {reason[0]}"
    return done.stdout.strip().splitlines()[-1]


def main(*chosen):
    """Print a row for each task of the packages that are chosen, or of all."""
    head = "package, licence | start, s | task | its time, µs | nbfact, µs | ratio"
    print(f"| {head} |\n|:--|--:|:--|--:|--:|--:|")
    for name in chosen or TASKS:
        try:
            found = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            print(f"| {name} | | not installed | | | |")
            continue
        licence = found.get("License-Expression") or found.get("License") or "?"
        for task in TASKS[name]:
            cells = measured(task)
            print(f"| {name} {found['Version']}, {licence} | {cells} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
