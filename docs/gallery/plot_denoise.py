"""
Denoise an image by a fast dictionary
=====================================

Patches of a noisy image are coded sparsely in a dictionary that was learned from these
patches, and averaged again. The dictionary is a product of sparse factors, so that
products with it cost one multiplication for each non-zero.
"""

# %%
# A grey image and its noisy copy
# -------------------------------
# The photograph is one of scikit-learn. The colours become grey levels from 0 to 255,
# and noise of standard deviation 30 is added.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import (
    extract_patches_2d,
    reconstruct_from_patches_2d,
)

import nbfact as nf

rng = np.random.default_rng(0)
sigma, side = 30, 8
photograph = load_sample_image("china.jpg")
clean = photograph[40:168, 260:388].mean(axis=2)
noisy = clean + sigma * rng.standard_normal(clean.shape)

# %%
# Patches less their means
# ------------------------

patches = extract_patches_2d(noisy, (side, side)).reshape(-1, side**2)
means = patches.mean(axis=1, keepdims=True)
patches = patches - means

# %%
# A dictionary that is a product of two sparse factors
# ----------------------------------------------------
# A code ends when the squared norm of its residual is that of the noise, about
# 64 (1.15 sigma)². Without ``rcg``, the number of non-zeros would be chosen by patches
# that are held out.

tol = side**2 * (1.15 * sigma) ** 2
model = nf.FastDictionary(128, rcg=4, transform_tol=tol, max_iter=8, random_state=0)
model.fit(patches[::5])
print(model.components_)
print(f"{model.nnz_} non-zeros, {128 * side**2} of a dense dictionary")

# %%
# Codes, and the image of their patches
# -------------------------------------

codes = model.transform(patches)
estimates = model.inverse_transform(codes) + means
denoised = reconstruct_from_patches_2d(estimates.reshape(-1, side, side), clean.shape)


def psnr(image):
    """Return the peak signal-to-noise ratio in dB."""
    return 10 * np.log10(255**2 / np.mean((image - clean) ** 2))


print(f"{(codes != 0).sum(axis=1).mean():.2f} atoms in a code")
print(f"noisy {psnr(noisy):.1f} dB, denoised {psnr(denoised):.1f} dB")

# %%

figure, axes = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
shown = {"without noise": clean, "noisy": noisy, "denoised": denoised}
for axis, (title, image) in zip(axes, shown.items(), strict=True):
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.set_axis_off()

# %%
# The atoms of the dictionary, most used ones first
# -------------------------------------------------

order = np.argsort(-(codes != 0).sum(axis=0), kind="stable")
atoms = model.components_.toarray()[order].reshape(8, 16, side, side)
tiles = np.pad(atoms, ((0, 0), (0, 0), (1, 1), (1, 1)))
figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
axis.imshow(tiles.transpose(0, 2, 1, 3).reshape(8 * (side + 2), -1), cmap="gray")
axis.set_axis_off()
plt.show()
