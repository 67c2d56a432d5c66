"""
A graph Fourier transform
=========================

The eigenvectors of the Laplacian of a graph are its Fourier basis. It is a dense matrix
without a fast algorithm, so a product of sparse factors that is nearly it makes filters
on the graph cheaper.
"""

import matplotlib.pyplot as plt
import numpy as np

import nbfact as nf

n = 32
basis = nf.targets.graph_fourier(n, "community", random_state=0)

# %%
# Half of the entries, as a product of sparse factors.

result = nf.learn_transform(
    basis, rcg=2, effort="quick", families=("sparse products",), random_state=0
)
print(result)

# %%
# A low-pass filter keeps the first eigenvectors: here of a noisy signal that is
# constant on the communities, with the exact basis and with the learned one.

rng = np.random.default_rng(0)
smooth = basis[:, :5] @ rng.standard_normal(5)
noisy = smooth + 0.15 * rng.standard_normal(n)
fast = result.operator
passed = np.arange(n) < 6
exact = basis @ (passed * (basis.T @ noisy))
learned = fast @ (passed * (fast.T @ noisy))

figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.4), layout="constrained")
axes[0].imshow(basis, cmap="RdBu", vmin=-1, vmax=1)
axes[0].set(title="the basis", xlabel="frequency", ylabel="vertex")
axes[1].imshow(fast.toarray(), cmap="RdBu", vmin=-1, vmax=1)
axes[1].set(title=f"learned, error {result.relative_error:.2f}", xlabel="frequency")
axes[2].plot(noisy, ".", color="gray", label="noisy")
axes[2].plot(smooth, "k", label="true")
axes[2].plot(exact, label="filtered, exact basis")
axes[2].plot(learned, label="filtered, learned basis")
axes[2].set(xlabel="vertex")
figure.legend(loc="outside right center", fontsize="small")
plt.show()
