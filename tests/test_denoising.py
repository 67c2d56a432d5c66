"""The images, patches, dictionaries and claims of the study of denoising."""

import numpy as np
import pytest

from nbfact.algorithms.dictionaries.code_rule import CodeRule
from nbfact.studies.denoising import denoising_page, grey_images, image_dictionaries
from nbfact.studies.denoising import denoising_study as study
from nbfact.studies.denoising.denoising_jobs import FAST, KSVD, PAPER, SMALL
from nbfact.studies.denoising.grey_images import Patches, grey, psnr
from nbfact.studies.denoising.image_dictionaries import FIVE, NOISE_LEVEL


def test_images_become_grey_levels():
    integers = np.arange(64, dtype=np.uint8).reshape(8, 8)
    found = grey("image", integers)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, integers)
    colour = np.stack([integers] * 3, axis=2)
    np.testing.assert_allclose(grey("image", colour), integers)
    opacity = np.dstack([colour, np.full((8, 8), 7, np.uint8)])
    np.testing.assert_allclose(grey("image", opacity), integers)
    assert grey("image", integers > 3).max() == 1


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.full((8, 8), np.nan), ValueError, "x contains NaN or infinity"),
        (np.ones(64), ValueError, r"x has shape \(64,\)"),
        (np.ones((8, 8, 2)), ValueError, r"x has shape \(8, 8, 2\)"),
        (np.ones((8, 7)), ValueError, "a side is below 8"),
        (np.ones((8, 8), complex), TypeError, "x has dtype complex128"),
        ([["a"] * 8] * 8, TypeError, "x has dtype"),
    ],
)
def test_bad_images_are_refused(image, error, message):
    with pytest.raises(error, match=message):
        grey("x", image)


def test_missing_packages_are_named(monkeypatch):
    import importlib

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match=r'"nbfact\[denoising\]"'):
        grey_images.load_image("camera")


@pytest.mark.parametrize("stride", [1, 3, 8])
def test_patches_make_their_image_again(stride):
    image = np.random.default_rng(0).standard_normal((20, 17))
    patches = Patches(image, stride)
    np.testing.assert_allclose(patches.image_of(patches.centered), image)
    np.testing.assert_allclose(patches.centered.mean(axis=1), 0, atol=1e-12)
    assert psnr(image, image + 255) == pytest.approx(0)


def test_fixed_dictionaries_have_atoms_of_norm_1():
    for atoms in (
        image_dictionaries.overcomplete_dct(100),
        image_dictionaries.union_of_bases(),
    ):
        np.testing.assert_allclose(np.linalg.norm(atoms, axis=0), 1)
        assert np.linalg.matrix_rank(atoms) == 64
    assert image_dictionaries.overcomplete_dct(100).shape == (64, 100)


def test_codes_end_as_the_rules_say():
    assert image_dictionaries.rule_of(FIVE, 30.0) == CodeRule(5)
    rule = image_dictionaries.rule_of(NOISE_LEVEL, 10.0)
    assert rule.n_nonzero == 64
    assert rule.tol == pytest.approx(64 * 11.5**2)


def row(method, value, sigma=30, codes=NOISE_LEVEL, image="a", **more):
    common = {"part": study.PARTS[0], "image": image, "sigma": sigma, "codes": codes}
    return common | {"method": method, "psnr": value, "nnz": 5, "factored": 1} | more


def test_claims_hold_where_the_interval_of_the_difference_is_above():
    images = [
        row(method, value + place, sigma, image=image)
        for sigma, ours in ((10, 29.95), (30, 30.05), (50, 29.95))
        for place, image in enumerate("ab")
        for method, value in ((KSVD, 30.0), (FAST, ours))
    ]
    found = denoising_page.claims(images)
    assert [line["holds"] for line in found] == ["yes", "yes", "no"]
    assert found[0]["found"].startswith("-0.05") and "2 images" in found[0]["found"]
    images[1]["psnr"] += 0.2  # one of two images: the interval is wide
    assert denoising_page.claims(images)[0]["holds"] == "undecided"
    fewer = [row(SMALL, 30.2 + n, 50, image=image) for n, image in enumerate("ab")]
    last = denoising_page.claims([*images, *fewer])[-2:]
    assert [line["best dense"].split(",")[0] for line in last] == [SMALL, KSVD]
    assert last[0]["found"].startswith("-0.25") and "as many atoms" in last[1]["claim"]
    assert last[1] | {"claim": found[2]["claim"]} == found[2]
    part = {"part": study.PARTS[1], "codes": FIVE, "s": 2, "rho": 0.5}
    rows = [row(KSVD, 20.0, **part), row(PAPER, 20.5, **part)]
    (line,) = denoising_page.claims(rows)
    assert line["holds"] == "yes" and line["found"] == "1/1 above, best +0.50 dB"
    low = [{**one, "sigma": 10} for one in rows]
    assert denoising_page.claims(low)[0]["holds"] == "no"


def test_images_are_chosen():
    assert study.choose(study.FULL, ["moon"]).images == ("moon",)
    with pytest.raises(ValueError, match="--data lena: expected one of camera"):
        study.choose(study.FULL, ["lena"])
