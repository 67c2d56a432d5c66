"""FastDictionary: dictionary learning with a product of sparse factors."""

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_array, check_is_fitted

from ..algorithms import Preset
from ..algorithms.common.result import FactorsLike
from ..algorithms.dictionaries.fast_training import FastDictionaryFit
from ..operators import FactorProduct
from .dictionary_training import DictionaryOptions, train_dictionary
from .inputs import DTYPES, naming, random_state_of, refuse_kinds, validated
from .on_threads import on_threads
from .points import check_range


class FastDictionary(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Dictionary learning with fast atoms: the dictionary is a product of factors.

    Samples are approximated by sparse combinations of `n_components` atoms, which are
    the rows of a product of sparse factors. Products with the atoms, which dominate the
    cost of sparse codes, then cost one multiplication for each non-zero.

    Parameters
    ----------
    n_components : int, default None
        Number of atoms, n. None stands for the number of features, m.
    basis : factors, an operator or a result of nbfact, (n_features, n_features)
        Default None. An orthonormal basis, one vector in each column, as matrices from
        left to right or an operator that is a product of factors. The atoms are then
        sparse combinations of its vectors, which samples with much noise need: the
        coefficients that are small are noise.
    n_factors : int, default None
        Number of factors that are learned and share the non-zeros. None stands for 2,
        and with a basis for 1.
    nnz : int, default None
        Number of non-zeros of all factors, those of the basis included, at least one
        for each that is learned. If neither it nor `rcg` is given, it is chosen: see
        `cost_increase`.
    rcg : float, default None
        Instead of `nnz`, the relative complexity gain n m / nnz.
    cost_increase : float, default 0.02
        Where neither `nnz` nor `rcg` is given, 1/8, 1/4, 1/2 and 3/4 of n m non-zeros
        are tried on samples that are held out. The fewest are taken with which codes
        cost at most this share more than with the best dictionary, the dense one
        included, or at most two standard errors of the difference. If there are none,
        the dictionary stays dense: see `factored_`. Rounds on all samples follow.
    factorizer : "explore" or Preset, default "explore"
        How the dictionary is factored. "explore": by `nbfact.explore`, which finds
        better supports. A preset, such as ``nbfact.presets.dictionary(4, 6)``: by the
        hierarchical algorithm, the method of the paper; it has a number of factors and
        of non-zeros of its own.
    dict_init : array_like, (n_components, n_features), default None
        The first atoms; by default they are samples drawn at random.
    max_iter : int, default 20
        Number of iterations of K-SVD, which comes first.
    n_rounds : int, default 5
        Number of times that the samples are coded and explored factors are fitted to
        them.
    transform_n_nonzero_coefs : int, default None
        Maximum number of non-zeros of a code, in `fit` and in `transform`. None stands
        for a tenth of the features, at least one; with `transform_tol` for all of them.
    transform_tol : float, default None
        A code ends, too, when the squared norm of its residual is at most this.
    validation_fraction : float, default 0.2
        Share of the samples that are held out where the number of non-zeros is chosen.
    random_state : int, RandomState or None, default None
        Draws the first atoms and the samples that are held out.
    threads : int, default None
        Number of threads that share the columns of products, as in `nbfact.threads`;
        None for that of the enclosing block.

    Attributes
    ----------
    components_ : FactorProduct, (n_components, n_features)
        The atoms as a fast operator, of the dtype of the samples, float32 or float64.
        They have norm 1, but for atoms of zeros. ``components_.toarray()`` is dense.
    dense_components_ : ndarray, (n_components, n_features)
        The atoms that K-SVD has found first.
    factored_ : bool
        Whether the atoms are factored; otherwise they are one dense factor.
    nnz_ : int
        Number of non-zeros of the factors.
    costs_ : dict of int to float
        The cost of the codes of held-out samples by the number of non-zeros, of all
        dictionaries that were tried; empty where none were held out. With
        `transform_tol` it is the mean number of non-zeros of a code, where a code that
        ends before its residual is so small counts as one of the greatest length, and
        up to as much again for what it leaves. Otherwise it is the squared norm of the
        residuals over that of the samples.
    n_iter_ : int
        Number of iterations of K-SVD.
    n_features_in_ : int
        Number of features of the samples.

    Raises
    ------
    TypeError
        In `fit`, if samples are masked, or a parameter has the wrong type.
    ValueError
        In `fit`, if samples contain NaN or infinity, or numbers whose squares overflow
        or vanish, or a parameter is out of range.

    See Also
    --------
    nbfact.omp : the codes.
    sklearn.decomposition.DictionaryLearning : dense atoms, an L1 penalty.

    Notes
    -----
    Minimises ‖X - C D‖² over atoms D = S[J-1]ᵀ ... S[0]ᵀ and sparse codes C. With a
    basis B of factors, D = S[J-1]ᵀ ... S[0]ᵀ Bᵀ, and with one factor S[0] that is
    double sparsity. All is then learned in the coordinates of the basis. K-SVD is
    first (`dense_components_`). Then the atoms, each weighted by the norm of its
    coefficients, are factored, and in each of `n_rounds` rounds the samples are coded
    anew by orthogonal matching pursuit and the factors are fitted to them by palm4MSA.
    With a preset the hierarchical algorithm peels off one factor after the other, and
    codes the samples at each level.

    Samples are not centered. For patches of an image, subtract the mean of each patch
    first, and add it again to what `inverse_transform` returns.

    Cost: the codes dominate, max_iter + n_rounds times those of all samples for each
    number of non-zeros that is tried. A code costs, for each of its non-zeros, one
    product with the atoms.

    References
    ----------
    L. Le Magoarou and R. Gribonval, Flexible multi-layer sparse approximations of
    matrices and applications, IEEE JSTSP 10(4), 2016: section VI [lemagoarou2016].
    The dense atoms are those of K-SVD [aharon2006]. Atoms that are sparse in a fixed
    basis are those of Rubinstein, Zibulevsky and Elad, Double sparsity, IEEE Trans.
    Signal Process. 58(3), 2010 [rubinstein2010].

    Examples
    --------
    >>> import nbfact as nf
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data[:500]
    >>> model = nf.FastDictionary(
    ...     80, rcg=4, transform_n_nonzero_coefs=4, random_state=0
    ... )
    >>> codes = model.fit_transform(X)
    >>> model.transform(X[:5]).shape
    (5, 80)
    >>> codes.shape, model.nnz_, int((codes != 0).sum(axis=1).max())
    ((500, 80), 1280, 4)
    >>> rest = X - model.inverse_transform(codes)
    >>> bool((rest**2).sum() < 0.15 * (X**2).sum())
    True
    """

    components_: FactorProduct
    dense_components_: np.ndarray
    factored_: bool
    nnz_: int
    costs_: dict[int, float]
    n_iter_: int
    n_features_in_: int
    _options: DictionaryOptions

    def __init__(
        self,
        n_components: int | None = None,
        *,
        basis: FactorsLike | None = None,
        n_factors: int | None = None,
        nnz: int | None = None,
        rcg: float | None = None,
        cost_increase: float = 0.02,
        factorizer: Literal["explore"] | Preset = "explore",
        dict_init: npt.ArrayLike | None = None,
        max_iter: int = 20,
        n_rounds: int = 5,
        transform_n_nonzero_coefs: int | None = None,
        transform_tol: float | None = None,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
        threads: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.basis = basis
        self.n_factors = n_factors
        self.nnz = nnz
        self.rcg = rcg
        self.cost_increase = cost_increase
        self.factorizer = factorizer
        self.dict_init = dict_init
        self.max_iter = max_iter
        self.n_rounds = n_rounds
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_tol = transform_tol
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.threads = threads

    @on_threads
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the atoms.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)
            float32 is kept; other real dtypes become float64.
        y : ignored

        Returns
        -------
        self
        """
        X = validated(self, X, dtype=DTYPES)
        check_range(X)
        options = DictionaryOptions.of(self, X.shape[1])
        trained = train_dictionary(X, options, random_state_of(self.random_state))
        self._options = options
        self.components_ = _components(trained.fit, X.dtype)
        self.dense_components_ = trained.dense.T.astype(X.dtype)
        self.factored_, self.costs_ = trained.factored, trained.costs
        self.nnz_, self.n_iter_ = self.components_.nnz, options.max_iter
        return self

    @on_threads
    def transform(self, X: Any) -> np.ndarray:
        """Return the sparse codes of samples, found by orthogonal matching pursuit.

        Parameters
        ----------
        X : array_like, (n_samples, n_features)

        Returns
        -------
        codes : array, (n_samples, n_components)
            The codes, of the dtype of the training samples.
        """
        check_is_fitted(self)
        X = validated(self, X, dtype=self.components_.dtype, reset=False)
        check_range(X)
        codes = self._options.rule.codes(self.components_.T, X.T)
        return codes.T.toarray()

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return the samples that codes stand for.

        Parameters
        ----------
        X : array_like, (n_samples, n_components)
            Codes.

        Returns
        -------
        samples : array, (n_samples, n_features)

        Raises
        ------
        TypeError
            If the codes are masked or no numbers.
        ValueError
            If the codes have another number of columns, or are not finite.
        """
        check_is_fitted(self)
        refuse_kinds("X", X)
        codes = naming("X", check_array, X, dtype=self.components_.dtype)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} columns, expected n_components="
                f"{self._n_features_out}"
            )
        return codes @ self.components_

    @property
    def _n_features_out(self) -> int:
        return self.components_.shape[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _components(fit: FastDictionaryFit, dtype: np.dtype) -> FactorProduct:
    """Return the atoms of a dictionary as an operator: its transpose."""
    factors = [factor.T.astype(dtype) for factor in reversed(fit.factors)]
    return FactorProduct(factors)
