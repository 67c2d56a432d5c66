"""
K-means on image patches
========================

The centers of k-means on 8 × 8 patches of a photograph are the words that the
photograph is written in. :class:`nbfact.QuicKMeans` makes the matrix of centers a
product of sparse factors, so that assigning a patch costs fewer multiplications.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d

import nbfact as nf

photograph = load_sample_image("china.jpg").mean(axis=2)[::2, ::2] / 255
patches = extract_patches_2d(photograph, (8, 8), max_patches=4000, random_state=0)
points = patches.reshape(len(patches), -1)
points -= points.mean(axis=1, keepdims=True)

# %%
# With ``nnz="auto"``, the default, the factors have as few values as let the inertia
# grow by at most 3 percent.

model = nf.QuicKMeans(32, random_state=0, max_iter=20).fit(points)
print(model.factored_, model.nnz_, "values instead of", model.cluster_centers_.size)
print("inertia over that of dense centers:", model.inertia_ / model.dense_inertia_)

# %%
# The centers, and every patch of a piece of the photograph replaced by its center.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
centers = model.cluster_centers_.reshape(4, 8, 8, 8).transpose(0, 2, 1, 3)
left.imshow(centers.reshape(32, 64), cmap="gray")
left.set(title="32 centers", xticks=[], yticks=[])
rows, columns = (size // 8 for size in photograph.shape)
tiles = photograph[: 8 * rows, : 8 * columns].reshape(rows, 8, columns, 8)
tiles = tiles.transpose(0, 2, 1, 3).reshape(-1, 64)
means = tiles.mean(axis=1, keepdims=True)
written = model.cluster_centers_[model.predict(tiles - means)] + means
written = written.reshape(rows, columns, 8, 8).transpose(0, 2, 1, 3)
right.imshow(np.clip(written.reshape(8 * rows, 8 * columns), 0, 1), cmap="gray")
right.set(title="each patch replaced by its center", xticks=[], yticks=[])
plt.show()
