"""The jobs of the study of denoising: one image at one noise level, and two more."""

import functools
import time
from typing import Any

import numpy as np

from ..tools.rows import Row
from . import image_dictionaries as of
from .grey_images import IMAGES, SIDE, Patches, load_image, non_local_means, psnr
from .image_dictionaries import DICTLEARN, FIVE, NOISE_LEVEL

FAST, KSVD, DCT = "FastDictionary", "K-SVD", "overcomplete DCT"
FREE = "FastDictionary without a basis"
SMALL = "K-SVD of 64 atoms"
UNION, SKLEARN = "union of fast bases", "scikit-learn MiniBatchDictionaryLearning"
NLM, NOISY = "non-local means", "noisy image"
PAPER = "hierarchical, J = 4"
"""Methods, as the rows name them."""

NOISY_FROM = 30
"""Least noise at which `FastDictionary` is run without a basis, too: it takes the time
of all other dictionaries together."""

PARTS = ("images", "configurations", "generalisation")
"""Parts of the study, as the rows name them."""


def noisy_image(name: str, sigma: float, seed: int, crop: int):
    """Return the upper left part of an image, and the same with noise.

    The image has place i in `IMAGES`: the noise is drawn by
    ``default_rng([seed, i, sigma])``.
    """
    clean = load_image(name)[:crop, :crop]
    rng = np.random.default_rng([seed, IMAGES.index(name), round(sigma)])
    return clean, clean + sigma * rng.standard_normal(clean.shape), rng


def drawn_samples(noisy: np.ndarray, count: int, rng: np.random.Generator):
    """Return some patches of an image less their means, (count, 64), in float64."""
    centered = Patches(noisy).centered
    return centered[rng.permutation(len(centered))[:count]]


def image_rows(name: str, sigma: float, seed: int, settings: Any) -> list[Row]:
    """Return the rows of all methods on one image at one noise level."""
    clean, noisy, rng = noisy_image(name, sigma, seed, settings.crop)
    samples = drawn_samples(noisy, settings.patches, rng)
    patches = Patches(noisy, settings.stride)
    start = of.overcomplete_dct(settings.atoms)
    n_iter = settings.image_iter + of.FINAL_PASSES
    rows: list[Row] = []

    def add(method: str, codes: str | None, image, seconds=None, nnz=None, **more):
        common = {"part": PARTS[0], "image": name, "sigma": sigma, "seed": seed}
        rows.append(
            common
            | {"method": method, "codes": codes, "psnr": psnr(image, clean)}
            | {"nnz": nnz, "seconds": seconds, **more}
        )

    def add_dictionary(method, codes, learn):
        began = time.process_time()
        atoms = learn()
        seconds = time.process_time() - began
        image = of.denoised(atoms, patches, of.rule_of(codes, sigma))
        add(method, codes, image, seconds, atoms.size)

    add(NOISY, None, noisy)
    add(NLM, None, non_local_means(noisy, sigma))
    few = samples[: settings.few]
    for codes, some, count in (
        (NOISE_LEVEL, samples, n_iter),
        (FIVE, few, settings.n_iter),
    ):
        rule = of.rule_of(codes, sigma)
        learned = functools.partial(of.dense_dictionary, some, start, rule, count)
        add_dictionary(KSVD, codes, learned)
        add_dictionary(DCT, codes, lambda: start)
    rule = of.rule_of(NOISE_LEVEL, sigma)
    complete = of.overcomplete_dct(SIDE**2)
    learned = functools.partial(of.dense_dictionary, samples, complete, rule, n_iter)
    add_dictionary(SMALL, NOISE_LEVEL, learned)
    for method, basis in ((FAST, of.cosine_basis()), (FREE, None)):
        if basis is None and sigma < NOISY_FROM:
            continue
        began = time.process_time()
        options = {"max_iter": settings.image_iter, "basis": basis}
        model = of.fast_dictionary(samples, start, rule, **options)
        seconds = time.process_time() - began
        image = of.denoised(model.components_.toarray().T, patches, rule)
        factored = int(model.factored_)
        add(method, NOISE_LEVEL, image, seconds, model.nnz_, factored=factored)
    add_dictionary(UNION, NOISE_LEVEL, of.union_of_bases)
    add_dictionary(
        SKLEARN,
        NOISE_LEVEL,
        lambda: of.mini_batch(few, settings.atoms, sigma),
    )
    if of.has_dictlearn():
        add_dictionary(
            DICTLEARN,
            NOISE_LEVEL,
            lambda: of.dictlearn_dictionary(samples, start, n_iter),
        )
    return rows


def configuration_rows(name: str, sigma: float, seed: int, settings: Any) -> list[Row]:
    """Return the rows of the paper's configurations on one image, with 5 atoms."""
    clean, noisy, rng = noisy_image(name, sigma, seed, settings.crop // 2)
    samples = drawn_samples(noisy, settings.few, rng)
    patches = Patches(noisy, settings.stride)
    rule = of.rule_of(FIVE, sigma)
    start = of.overcomplete_dct(settings.atoms)
    dense = of.dense_dictionary(samples, start, rule, settings.n_iter)
    common = {"part": PARTS[1], "image": name, "sigma": sigma, "seed": seed}
    common |= {"codes": FIVE}
    found = [
        (KSVD, None, None, dense, dense.size),
        (DCT, None, None, start, start.size),
    ]
    for s, rho in settings.configurations:
        model = of.paper_dictionary(samples, dense, rule, s, rho)
        atoms = model.components_.toarray().T
        found.append((PAPER, s, rho, atoms, model.nnz_))
    return [
        common
        | {"method": method, "s": s, "rho": rho, "nnz": nnz}
        | {"psnr": psnr(of.denoised(atoms, patches, rule), clean)}
        for method, s, rho, atoms, nnz in found
    ]


def generalisation_rows(
    name: str, sigma: float, seed: int, count: int, settings: Any
) -> list[Row]:
    """Return errors of 5 atoms on patches to learn from and on others."""
    _, noisy, rng = noisy_image(name, sigma, seed, settings.crop)
    samples = drawn_samples(noisy, count + settings.tested, rng)
    tested, samples = samples[: settings.tested], samples[settings.tested :]
    rule = of.rule_of(FIVE, sigma)
    start = of.overcomplete_dct(settings.atoms)
    dense = of.dense_dictionary(samples, start, rule, settings.n_iter)
    found = [(KSVD, dense, dense.size)]
    for rcg in settings.rcgs:
        model = of.fast_dictionary(samples, dense, rule, max_iter=0, rcg=rcg)
        found.append((FREE, model.components_.toarray().T, model.nnz_))
    return [
        {
            "part": PARTS[2],
            "image": name,
            "sigma": sigma,
            "seed": seed,
            "method": method,
            "codes": FIVE,
            "nnz": nnz,
            "L": len(samples),
            "train": rule.cost(atoms, samples.T),
            "test": rule.cost(atoms, tested.T),
        }
        for method, atoms, nnz in found
    ]
