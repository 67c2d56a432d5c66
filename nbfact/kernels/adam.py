"""The step of Adam, a method of gradient descent."""

import numpy as np

from ._jit import kernel


@kernel
def adam_step(
    x: np.ndarray,
    gradient: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    rate: float,
    step: int,
) -> None:
    """Move parameters by one step of Adam, in place, with its usual constants.

    Parameters
    ----------
    x : ndarray of any shape, real
        The parameters; overwritten with x - rate m / (√v + 1e-8), where m and v are
        mean and square without their bias. All arrays have one shape and are
        C-contiguous.
    gradient : ndarray
        Only read.
    mean, square : ndarray
        The running means of the gradient and of its square, with weights 0.9 and 0.999
        on the past; updated. Zeros before the first step.
    rate : float
        The learning rate.
    step : int
        Number of this step, from 1 on: it says how biased the running means are.

    See Also
    --------
    butterfly_fit, mixture_fit : Kernels that compute the gradients.
    nbfact.learn_butterfly : The descent, with restarts.

    Notes
    -----
    The cost is one pass over the arrays.

    References
    ----------
    D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR, 2015
    [kingma2015].

    Examples
    --------
    The first step has the length of the rate in each parameter, against the gradient:

    >>> import numpy as np, nbfact as nf
    >>> x, mean, square = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    >>> nf.kernels.adam_step(x, np.array([3.0, -0.5]), mean, square, 0.1, 1)
    >>> x.round(6)
    array([ 0.9, -1.9])
    """
    one, two = 1 - 0.9**step, 1 - 0.999**step
    values, slope, m, v = x.ravel(), gradient.ravel(), mean.ravel(), square.ravel()
    for i in range(values.size):
        m[i] = 0.9 * m[i] + 0.1 * slope[i]
        v[i] = 0.999 * v[i] + 0.001 * slope[i] * slope[i]
        values[i] -= rate * (m[i] / one) / (np.sqrt(v[i] / two) + 1e-8)
