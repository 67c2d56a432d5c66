"""Random numbers of algorithms, which are never those that made their target."""

import zlib
from typing import Any

import numpy as np

from .checks import generator


def stream(name: str, value: Any, purpose: str) -> np.random.Generator:
    """Return a generator whose numbers are not those that made a target of one seed.

    Every algorithm takes its random numbers from here, and every target from
    `generator`: a random start of the seed of its target would otherwise be made of the
    entries of the target.

    Parameters
    ----------
    name, value : str, object
        Name of the argument and its value: see `generator`.
    purpose : str
        What the numbers are for, such as "explore": each purpose has its own stream.

    Returns
    -------
    numpy.random.Generator
        A child of the generator that the value is or makes, so that a seed and a new
        generator of that seed yield the same one. A generator that was made from no
        sequence of seeds has no children and is returned itself.
    """
    found = generator(name, value)
    try:
        child = found.spawn(1)[0].bit_generator.seed_seq
    except TypeError:
        return found
    assert isinstance(child, np.random.SeedSequence), "a child has one"
    key = (*child.spawn_key, zlib.crc32(purpose.encode()))
    return np.random.default_rng(np.random.SeedSequence(child.entropy, spawn_key=key))
