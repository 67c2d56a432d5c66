"""
A dask cluster
==============

All methods of :class:`nbfact.QuicKMeans` take dask arrays. Points are assigned and
summed where dask runs its blocks, on the workers of a cluster; only sums come back. The
cluster of this program has two workers on this machine, and a larger one differs by an
address.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster
from sklearn.datasets import make_blobs

import nbfact as nf

points, _ = make_blobs(6000, n_features=32, centers=16, random_state=0)
init = points[:16]

# %%
# The same first centers, once with an array in memory and once in blocks of rows.

near = nf.QuicKMeans(16, nnz=256, init=init, max_iter=10).fit(points)
with (
    LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster,
    Client(cluster),
):
    blocks = da.from_array(points, chunks=(1000, -1))
    far = nf.QuicKMeans(16, nnz=256, init=init, max_iter=10).fit(blocks)
    labels = far.predict(blocks).compute()
print(far.inertia_ / near.inertia_, "= 1: the same clusters")

# %%
# The points in the plane of their two largest principal components, by cluster.

centered = points - points.mean(axis=0)
plane = centered @ np.linalg.svd(centered, full_matrices=False)[2][:2].T
figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
axes.scatter(*plane.T, c=labels, s=3, cmap="tab20")
axes.set(title=f"{blocks.numblocks[0]} blocks of points, 16 centers, two workers")
axes.set(xticks=[], yticks=[])
plt.show()
