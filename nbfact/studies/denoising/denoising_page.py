"""What the page of the denoising study says: its answer, claims and tables."""

from collections.abc import Sequence

import numpy as np

from ..tools.claims import in_words
from ..tools.intervals import half_width, mean_text
from ..tools.rows import Row, select, values
from .denoising_jobs import DCT, FAST, FREE, KSVD, PAPER, PARTS, SKLEARN, SMALL
from .image_dictionaries import DICTLEARN, FIVE, NOISE_LEVEL

DENSE = (KSVD, SMALL, DCT, SKLEARN, DICTLEARN)
"""Methods whose dictionaries are dense arrays."""


def opening(rows: Sequence[Row]) -> str:
    """Return what was found, in a few sentences for the head of the page."""
    images = select(rows, part=PARTS[0])
    found, said = psnr_of(images), []
    for sigma in sorted(values(images, "sigma")):
        names = values(select(images, sigma=sigma), "image")
        gained = over(found, (FAST, NOISE_LEVEL), (KSVD, NOISE_LEVEL), sigma, names)
        if gained:
            said.append(
                f"{min(gained):+.2f} to {max(gained):+.2f} dB at noise {sigma} "
                f"({len(gained)} images)"
            )
    if not said:
        return ""
    some = [row for row in select(images, method=FAST) if row["factored"] is not None]
    products = sum(bool(row["factored"]) for row in some)
    return (
        f"With codes that end at the noise level, `{FAST}` with the basis of cosines "
        f"differs from {KSVD}, the dense dictionary that it begins with, by "
        f"{'; '.join(said)}. The noise is "
        "the standard deviation, where white is 255 above black. In "
        f"{products} of {len(some)} images the learned dictionary is a product, and in "
        f"{len(some) - products} it stayed dense. {in_words(claims(rows))}"
    ).strip()


def tables(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the claims, the differences, the PSNR, and the two other parts."""
    images = select(rows, part=PARTS[0])
    found = {
        "Claims": claims(rows),
        "PSNR less that of K-SVD with codes to the noise level": _differences(images),
        "PSNR of every image": _every(images),
        "The 16 configurations of the paper, 5 atoms": _configurations(rows),
        "Generalisation: relative errors with 5 atoms": _generalisation(rows),
    }
    return {caption: lines for caption, lines in found.items() if lines}


def psnr_of(rows: Sequence[Row]) -> dict[tuple, float]:
    """Return the PSNR by method, codes, noise and image."""
    return {
        (row["method"], row["codes"], row["sigma"], row["image"]): row["psnr"]
        for row in rows
    }


def methods_of(rows: Sequence[Row]) -> list[tuple]:
    """Return the pairs of method and codes, in the order of the rows."""
    return list(dict.fromkeys((row["method"], row["codes"]) for row in rows))


def over(found, method, other, sigma, images) -> list[float]:
    """Return PSNR of one method less that of another one, image by image."""
    return [
        found[(*method, sigma, image)] - found[(*other, sigma, image)]
        for image in images
        if (*method, sigma, image) in found and (*other, sigma, image) in found
    ]


def _differences(rows: Sequence[Row]) -> list[Row]:
    """Return a line a method, a column a noise: means of differences to K-SVD."""
    found, lines = psnr_of(rows), []
    for method in methods_of(rows):
        line: Row = {"method": method[0], "codes": method[1] or ""}
        for sigma in sorted(values(rows, "sigma")):
            images = values(select(rows, sigma=sigma), "image")
            gained = over(found, method, (KSVD, NOISE_LEVEL), sigma, images)
            line[f"sigma {sigma}"] = mean_text(gained)
        some = select(rows, method=method[0], codes=method[1])
        if method[0] in (FAST, FREE):
            line["nnz"] = f"{min(values(some, 'nnz'))}..{max(values(some, 'nnz'))}"
            line["factored"] = f"{sum(row['factored'] for row in some)}/{len(some)}"
        lines.append(line)
    return lines


def _every(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each image and noise, a column for each method."""
    found, lines = psnr_of(rows), []
    for image in values(rows, "image"):
        for sigma in sorted(values(select(rows, image=image), "sigma")):
            line: Row = {"image": image, "sigma": sigma}
            for method in methods_of(rows):
                value = found.get((*method, sigma, image))
                caption = ", ".join(filter(None, method))
                line[caption] = None if value is None else f"{value:.2f}"
            lines.append(line)
    return lines


def _configurations(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each configuration, a column for each image and noise."""
    some, lines = select(rows, part=PARTS[1]), []
    for method, s, rho in dict.fromkeys((r["method"], r["s"], r["rho"]) for r in some):
        these = select(some, method=method, s=s, rho=rho)
        line: Row = {"method": method, "s/m": s, "rho": rho, "nnz": these[0]["nnz"]}
        for row in these:
            line[f"{row['image']} {row['sigma']}"] = f"{row['psnr']:.2f}"
        lines.append(line)
    return lines


def _generalisation(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each number of patches and dictionary."""
    return [
        {
            "patches L": row["L"],
            "method": row["method"],
            "s_tot": row["nnz"],
            "on those learned from": row["train"],
            "on others": row["test"],
            "difference": row["test"] - row["train"],
        }
        for row in select(rows, part=PARTS[2])
    ]


def claims(rows: Sequence[Row]) -> list[Row]:
    """Return what was asked at each noise, what was found, and whether it holds.

    Where a dense dictionary of fewer atoms is the best one, a line has the best one of
    as many atoms.
    """
    images, lines = select(rows, part=PARTS[0]), []
    found = psnr_of(images)
    for sigma in sorted(values(images, "sigma")):
        some = select(images, sigma=sigma)
        names = values(some, "image")
        dense = [one for one in methods_of(some) if one[0] in DENSE]
        same = [one for one in dense if one[0] != SMALL]
        means = {
            one: np.mean([found[(*one, sigma, i)] for i in names]) for one in dense
        }
        best, other = (max(some, key=means.__getitem__) for some in (dense, same))
        lines.append(_compared(found, best, sigma, names))
        if other != best:
            lines.append(_compared(found, other, sigma, names, " of as many atoms"))
    return lines + _published(rows)


def _compared(found, best, sigma, names, of="") -> Row:
    """Return the claim that compares our dictionary with a dense one at a noise."""
    gained = over(found, (FAST, NOISE_LEVEL), best, sigma, names)
    least = 0.0 if sigma >= 30 else -0.1
    return {
        "claim": f"sigma {sigma}: {FAST} against the best dense one{of}",
        "holds": _verdict(gained, least),
        "found": f"{mean_text(gained)} dB, {len(gained)} images",
        "asked": f"above {least:g} dB",
        "best dense": ", ".join(best),
        "command": f"nbfact study denoising -k 'sigma {sigma}'",
    }


def _verdict(over: Sequence[float], least: float) -> str:
    """Return whether a mean is above a limit: "undecided" where its interval is not."""
    mean, half = float(np.mean(over)), half_width(over)
    if mean - half > least:
        return "yes"
    return "no" if mean + half < least else "undecided"


def _published(rows: Sequence[Row]) -> list[Row]:
    """Return the two findings of the paper, with its codes of 5 atoms."""
    some, lines = select(rows, part=PARTS[1]), []
    for image, sigma in dict.fromkeys((r["image"], r["sigma"]) for r in some):
        these = select(some, image=image, sigma=sigma)
        (dense,) = select(these, method=KSVD)
        gained = [r["psnr"] - dense["psnr"] for r in these if r["method"] == PAPER]
        wins = sigma >= 30
        text = f"{sum(d > 0 for d in gained)}/{len(gained)} above"
        text += f", best {max(gained):+.2f} dB"
        word = "above" if wins else "below"
        lines.append(
            {
                "claim": f"paper, {image}, sigma {sigma}: {PAPER} {word} K-SVD",
                "holds": "yes" if (float(np.median(gained)) > 0) == wins else "no",
                "found": text,
                "asked": word,
                "best dense": f"{KSVD}, {FIVE}",
                "command": "nbfact study denoising -k configurations",
            }
        )
    return lines
