"""Stand-ins for QuicKMeans: clusterers whose centers have a fast operator."""

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans

import nbfact as nf


class Factored(ClusterMixin, BaseEstimator):
    """K-means whose centers are also a product of two factors."""

    def __init__(self, n_clusters=8, random_state=None):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, X, y=None):
        """Factor the centers of k-means by their singular vectors."""
        model = KMeans(self.n_clusters, n_init=1, random_state=self.random_state)
        self.model_ = model.fit(X)
        self.labels_ = model.labels_
        self.cluster_centers_ = model.cluster_centers_
        left, values, right = np.linalg.svd(model.cluster_centers_, False)
        self.centers_operator_ = nf.FactorProduct([left * values, right])
        return self

    def predict(self, X):
        """Return the nearest centers, as k-means does."""
        return self.model_.predict(X)


class Given(ClusterMixin, BaseEstimator):
    """A clusterer with the given centers, some of which may have no points."""

    def __init__(self, centers):
        self.centers = centers

    def fit(self, X, y=None):
        """Take the given centers, whatever the points are."""
        self.cluster_centers_ = np.asarray(self.centers, X.dtype)
        return self

    def predict(self, X):
        """Return the nearest centers, and the first of those that are equally near."""
        differences = X[:, None] - self.cluster_centers_
        return np.square(differences).sum(axis=2).argmin(axis=1)
