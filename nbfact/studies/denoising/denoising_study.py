"""Study of denoising by dictionaries that are products of sparse factors.

L. Le Magoarou and R. Gribonval (Flexible multi-layer sparse approximations of matrices
and applications, IEEE JSTSP 10(4), 2016, section VI) denoise images by sparse codes of
their patches. They find that fast dictionaries beat dense ones of K-SVD at high noise
(standard deviations of 30 and 50), and lose at low noise. The study repeats that, with
their 16 configurations and with codes that end at the noise level, beside other
dictionaries and non-local means. :mod:`nbfact.studies.denoising.denoising_jobs` has the
jobs, :mod:`nbfact.studies.denoising.image_dictionaries` the dictionaries.

``nbfact study denoising`` writes ``denoising.csv``, ``denoising.md`` and
``denoising.png``.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..tools.choices import FIRST_SEED
from ..tools.intervals import half_width
from ..tools.rows import Row, select, values
from ..tools.work import Job
from . import denoising_jobs, denoising_page
from . import image_dictionaries as of
from .denoising_jobs import FAST, KSVD, NLM, NOISY, PARTS
from .denoising_page import methods_of, over, psnr_of
from .grey_images import IMAGES, Patches
from .image_dictionaries import FIVE, GAIN, NOISE_LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Denoising by fast dictionaries"
QUESTION = (
    "Does a dictionary that is a product of sparse factors remove noise from "
    "photographs as well as dense dictionaries do?"
)
PICTURE = (
    "The upper panel shows by how many decibels each method is above or below "
    "K-SVD, a learned dense dictionary, at each level of noise; higher is better. "
    "Below are a piece of a photograph, denoised twice, and the atoms of both "
    "dictionaries."
)
PARALLEL = True
NOTES = f"""\
- PSNR is in dB, for a peak of 255. Differences are means over images ± half of
  Student's 95 percent interval, paired: the same noise, patches and stride.
- A claim is "undecided" where the interval of the mean holds the limit that was asked
  for; those about the paper are judged by the median configuration.
- Patches are 8 x 8. Their means are subtracted first and added again at the end, which
  costs none of the atoms. Estimates of overlapping patches are averaged.
- "noise level": a code ends when the norm of its residual is at most that of the
  noise multiplied by {GAIN}, in learning and in denoising. "5 atoms": each code has 5
  non-zeros, as in the paper. Every code, of every method, is found by `nbfact.omp`.
- K-SVD starts at the overcomplete DCT, and so does the K-SVD that FastDictionary begins
  with. It chooses its number of non-zeros (`nnz`) by a fifth of the patches, which are
  held out. "factored" says in how many of the images it did not stay dense. Its atoms
  are sparse combinations of the 64 cosines of a patch (`basis`), whose 1024 non-zeros
  count; without a basis, both factors are learned, and only at much noise.
- K-SVD has {of.FINAL_PASSES} iterations more than the one that FastDictionary begins
  with, which codes its patches as often after that, and K-SVD learns from the held-out
  patches from the start. With fewer atoms, as many as a patch has pixels, it represents
  less of the noise, too: "K-SVD of 64 atoms". With 5 atoms in a code, K-SVD has 10
  iterations on 3000 patches.
- "union of fast bases" are the Hadamard, cosine, Haar and pixel bases side by side.
  dictlearn's approximate K-SVD learns from the same patches with 5 atoms, and
  scikit-learn's MiniBatchDictionaryLearning from 1500 of them, in one pass by its own
  codes, which take longer than those of all other methods.
- "hierarchical, J = 4" is the algorithm of the paper with codes at each level, s/m and
  rho as in the paper, in the upper left quarter of the images, after 10 iterations of
  K-SVD on 3000 patches: its PSNR may only be compared with that of the lines of the
  same table. The part on generalisation has 10 iterations, too, and no basis.
- Seeds are {FIRST_SEED} and above: of the noise and of the choice of patches.
- What differs from the paper: its twelve images are not in an installable package, it
  has 50 iterations of K-SVD where the study has 30 in the images, and it takes every
  patch (stride 1). The settings of a run are fields of `FULL` in
  `nbfact/studies/denoising/denoising_study.py`.
- The covering number of the products with s_tot non-zeros grows with s_tot, and that of
  dense dictionaries with 64 n (theorem VI.1 of the paper), so that the difference
  between the errors on new patches and on those learned from should fall with both."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the study varies.

    Attributes
    ----------
    images : tuple of str
        Names of the images.
    sigmas : tuple of int
        Standard deviations of the noise.
    crop : int
        Rows and columns of an image that are taken.
    patches, few, tested : int
        Number of patches to learn from, of those from which K-SVD with 5 atoms and the
        paper's configurations learn, and scikit-learn from every second one, and of
        others that test generalisation.
    atoms, image_iter, n_iter, stride : int
        Number of atoms, of iterations of K-SVD before `FastDictionary` factors, of
        those with 5 atoms in a code, and pixels from patch to patch.
    configured : tuple of (str, int)
        Image and noise of the paper's configurations.
    configurations : tuple of (int, float)
        s/m and rho of each of them.
    lengths : tuple of int
        Numbers of patches to learn from in the part on generalisation.
    rcgs : tuple of float
        Relative complexity gains in the part on generalisation.
    """

    images: tuple[str, ...]
    sigmas: tuple[int, ...]
    crop: int
    patches: int
    few: int
    tested: int
    atoms: int
    image_iter: int
    n_iter: int
    stride: int
    configured: tuple[tuple[str, int], ...]
    configurations: tuple[tuple[int, float], ...]
    lengths: tuple[int, ...]
    rcgs: tuple[float, ...]


GRID = tuple((s, rho) for s in (2, 3, 6, 12) for rho in (0.4, 0.5, 0.7, 0.9))
"""s/m and rho of the 16 configurations of the paper."""

FULL = Settings(
    IMAGES,
    (10, 15, 20, 30, 50),
    *(512, 10_000, 3000, 2000, 256, 20, 10, 3),
    (("camera", 10), ("camera", 30), ("camera", 50), ("ascent", 10), ("ascent", 50)),
    GRID,
    (500, 1500, 4500),
    (2.0, 4.0, 8.0),
)
QUICK = Settings(
    ("camera", "ascent"),
    (10, 50),
    *(128, 1000, 1000, 500, 128, 3, 3, 2),
    (("camera", 30),),
    GRID[1::5],
    (300,),
    (4.0,),
)
GENERALISED = ("ascent", 20)
"""Image and noise of the part on generalisation."""


def choose(settings: Settings, names: Sequence[str]) -> Settings:
    """Return settings for some images only.

    Raises
    ------
    ValueError
        For a name that the settings do not have.
    """
    for name in names:
        if name not in settings.images:
            raise ValueError(
                f"--data {name}: expected one of {', '.join(settings.images)}"
            )
    return dataclasses.replace(settings, images=tuple(names))


def jobs(settings: Settings, peers: bool) -> list[Job]:
    """Return a job for each image and noise, then those of the other parts."""
    seed = FIRST_SEED
    found: list[Job] = []
    for name in settings.images:
        for sigma in settings.sigmas:
            job = functools.partial(
                denoising_jobs.image_rows, name, sigma, seed, settings
            )
            found.append((f"{name}, sigma {sigma}", job))
    rest: list[Job] = []
    for name, sigma in settings.configured:
        job = functools.partial(
            denoising_jobs.configuration_rows, name, sigma, seed, settings
        )
        rest.append((f"configurations, {name}, sigma {sigma}", job))
    for count in settings.lengths:
        job = functools.partial(
            denoising_jobs.generalisation_rows, *GENERALISED, seed, count, settings
        )
        rest.append((f"generalisation, {count} patches", job))
    half = 3 * len(settings.sigmas)  # what is done first shows all parts
    return [*found[:half], *rest, *found[half:]]


tables, opening = denoising_page.tables, denoising_page.opening


def draw(rows: Sequence[Row], figure: "Figure") -> None:
    """Draw differences to K-SVD, and below them dictionaries and denoised images."""
    figure.set_size_inches(12, 12)
    upper, lower = np.ravel(np.asarray(figure.subfigures(2, 1)))
    images = select(rows, part=PARTS[0])
    axes = upper.subplots()
    found, sigmas = psnr_of(images), sorted(values(images, "sigma"))
    for method in methods_of(images):
        if method[0] == NOISY or not sigmas:
            continue
        places, points, halves = [], [], []
        for sigma in sigmas:
            names = values(select(images, sigma=sigma), "image")
            gained = over(found, method, (KSVD, NOISE_LEVEL), sigma, names)
            if not gained:
                continue
            places.append(sigma)
            points.append(np.mean(gained))
            half = half_width(gained)
            halves.append(half if np.isfinite(half) else 0.0)
        style = "--" if method[1] == FIVE or method[0] == NLM else "-"
        label = ", ".join(filter(None, method))
        axes.errorbar(places, points, halves, fmt=f".{style}", capsize=3, label=label)
    axes.set(xlabel="sigma", ylabel="PSNR less K-SVD's (dB)", title=TITLE)
    axes.set_yscale("symlog", linthresh=0.5)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xticks(sigmas)
    if sigmas:
        upper.legend(loc="outside right upper", fontsize="small")
        _draw_pictures(lower, images[0]["image"], sigmas[-1], images[0]["seed"])


SHOWN = Settings(("",), (0,), *(192, 1500, 0, 0, 128, 5, 5, 2), (), (), (), (4.0,))
"""Sizes of the dictionaries and images that are drawn: they are computed anew."""


def _draw_pictures(figure, name: str, sigma: int, seed: int) -> None:
    """Draw a noisy image, the two dictionaries, and what they make of the image."""
    clean, noisy, rng = denoising_jobs.noisy_image(name, sigma, seed, SHOWN.crop)
    samples = denoising_jobs.drawn_samples(noisy, SHOWN.patches, rng)
    patches, rule = Patches(noisy, SHOWN.stride), of.rule_of(NOISE_LEVEL, sigma)
    start = of.overcomplete_dct(SHOWN.atoms)
    dense = of.dense_dictionary(samples, start, rule, SHOWN.n_iter)
    options = {"max_iter": 0, "rcg": SHOWN.rcgs[0], "basis": of.cosine_basis()}
    model = of.fast_dictionary(samples, dense, rule, **options)
    fast = model.components_.toarray().T
    panels = np.ravel(np.asarray(figure.subplots(2, 3)))
    shown = {
        f"{name}, sigma {sigma}": noisy,
        "K-SVD": of.denoised(dense, patches, rule),
        f"{FAST}, {model.nnz_} non-zeros": of.denoised(fast, patches, rule),
        "without noise": clean,
        "atoms of K-SVD": _mosaic(dense),
        f"atoms of {FAST}": _mosaic(fast),
    }
    for axes, (caption, image) in zip(panels, shown.items(), strict=True):
        axes.imshow(image, cmap="gray")
        axes.set_title(caption, fontsize="small")
        axes.set_axis_off()


def _mosaic(dictionary: np.ndarray, across: int = 16) -> np.ndarray:
    """Return the atoms as small pictures side by side, each from its least to most."""
    tiles = []
    for atom in dictionary.T:
        tile = np.ptp(atom) and (atom - atom.min()) / np.ptp(atom)
        tiles.append(np.pad(np.reshape(tile + 0 * atom, (8, 8)), 1))
    rows = [np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)]
    return np.vstack([row for row in rows if row.shape == rows[0].shape])
