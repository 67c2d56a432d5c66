"""Stand-ins for QuicKMeans: clusterers whose centres have a fast operator."""

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans

import nbfact as nf


class Factored(ClusterMixin, BaseEstimator):
    """k-means, its centres multiplied as a product of two factors."""

    def __init__(self, n_clusters=8, random_state=None):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, X, y=None):
        """Factor the centres of k-means by their singular vectors."""
        model = KMeans(self.n_clusters, n_init=1, random_state=self.random_state)
        self.model_ = model.fit(X)
        self.labels_ = model.labels_
        self.cluster_centers_ = model.cluster_centers_
        left, values, right = np.linalg.svd(model.cluster_centers_, False)
        self.centers_operator_ = nf.FactorProduct([left * values, right])
        return self

    def predict(self, X):
        """Return the nearest centres, as k-means does."""
        return self.model_.predict(X)


class Given(ClusterMixin, BaseEstimator):
    """Centres that are given; some may have no points."""

    def __init__(self, centers):
        self.centers = centers

    def fit(self, X, y=None):
        """Take the centres."""
        self.cluster_centers_ = np.asarray(self.centers, X.dtype)
        return self

    def predict(self, X):
        """Return the nearest centres, the first of equal ones."""
        differences = X[:, None] - self.cluster_centers_
        return np.square(differences).sum(axis=2).argmin(axis=1)
