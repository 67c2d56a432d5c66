"""How sure a rate is."""

import math

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval of a probability, 95 % unless told.

    Parameters
    ----------
    successes, trials : int
        At least one trial.
    z : float
        How many standard deviations wide to each side.

    Returns
    -------
    low, high : float
        Within [0, 1]; it holds the observed rate, and is not empty at 0 and at 1.

    References
    ----------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    J. Am. Stat. Assoc. 22, 1927.

    Examples
    --------
    >>> low, high = wilson(50, 50)
    >>> round(low, 4), high
    (0.9287, 1.0)
    """
    rate, spread = successes / trials, z * z / trials
    centre = rate + spread / 2
    half = math.sqrt(spread * (rate * (1 - rate) + spread / 4))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # At the ends exactly, where rounding would leave them.
    return 0.0 if successes == 0 else low, 1.0 if successes == trials else high


def told(successes: int, trials: int) -> str:
    """Return a count and its interval as text.

    Examples
    --------
    >>> told(50, 50), told(0, 20), told(0, 0)
    ('50/50 [.93, 1]', '0/20 [0, .16]', '')
    """
    if not trials:
        return ""
    ends = (f"{end:.2f}".removeprefix("0") for end in wilson(successes, trials))
    low, high = ({"1.00": "1", ".00": "0"}.get(end, end) for end in ends)
    return f"{successes}/{trials} [{low}, {high}]"
