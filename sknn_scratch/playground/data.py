"""Points in the plane to learn from: classes to tell apart, and surfaces to follow.

Most lie within a unit or so of the origin, so that a network can learn from them as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import make_blobs, make_circles, make_moons

XY = tuple[npt.NDArray[np.float64], npt.NDArray[Any]]
"""Two coordinates for each row, and its class or number."""


def circles(n_rows: int, noise: float, seed: int) -> XY:
    """Two rings, one inside the other."""
    return make_circles(n_rows, noise=noise, factor=0.46, random_state=seed)


def moons(n_rows: int, noise: float, seed: int) -> XY:
    """Two half moons that reach into each other."""
    X, y = make_moons(n_rows, noise=noise, random_state=seed)
    return X - [0.5, 0.25], y


def exclusive_or(n_rows: int, noise: float, seed: int) -> XY:
    """Four squares; those that touch at a corner only are of one class."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (n_rows, 2))
    y = (X[:, 0] * X[:, 1] < 0).astype(int)
    return X + noise * rng.standard_normal(X.shape), y


def spiral(n_rows: int, noise: float, seed: int) -> XY:
    """Two arms that wind around each other."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_rows) % 2
    radius = np.sqrt(rng.uniform(0.01, 1, n_rows))
    angle = 3 * np.pi * radius + np.pi * y
    X = radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return X + 0.3 * noise * rng.standard_normal(X.shape), y


def blobs(n_rows: int, noise: float, seed: int, n_classes: int) -> XY:
    """Gaussian blobs around the corners of a polygon."""
    angle = 2 * np.pi * np.arange(n_classes) / n_classes + np.pi / 4
    centers = np.column_stack([np.cos(angle), np.sin(angle)])
    return make_blobs(n_rows, centers=centers, cluster_std=0.1 + noise, random_state=seed)


def first_bit() -> XY:
    """Four rows of two bits, as the first perceptron learnt them: the class is the first bit."""
    return np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1, 0])


def exclusive_or_of_bits() -> XY:
    """Four rows of two bits: the class is 1 where they differ."""
    return np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def four_people() -> XY:
    """Weight minus 135 lb and height minus 66 in of four people; the class of women is 1."""
    return np.array([[-2.0, -1.0], [25.0, 6.0], [17.0, 4.0], [-15.0, -6.0]]), np.array([1, 0, 0, 1])


def plane(n_rows: int, noise: float, seed: int) -> XY:
    """A plane that rises along the diagonal."""
    return _surface(n_rows, noise, seed, lambda x1, x2: (x1 + x2) / 2)


def hill(n_rows: int, noise: float, seed: int) -> XY:
    """A Gaussian hill in the middle."""
    return _surface(n_rows, noise, seed, lambda x1, x2: np.exp(-3 * (x1**2 + x2**2)))


def sine(n_rows: int, noise: float, seed: int) -> XY:
    """A wave along the first feature; the second has nothing to say."""
    return _surface(n_rows, noise, seed, lambda x1, x2: np.sin(np.pi * x1))


def _surface(n_rows: int, noise: float, seed: int, height: Callable[..., npt.NDArray[np.float64]]) -> XY:
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (n_rows, 2))
    return X, height(*X.T) + noise * rng.standard_normal(n_rows)


class Dataset(NamedTuple):
    """A function that makes data, what it is called on the page, and whether it has classes."""

    make: Callable[..., XY]
    title: str
    has_classes: bool

    @property
    def arguments(self) -> list[str]:
        """Names of what it can be told; none for data of few rows that are always the same."""
        return list(inspect.signature(self.make).parameters)


DATASETS: dict[str, Dataset] = {
    "circles": Dataset(circles, "circles", True),
    "moons": Dataset(moons, "moons", True),
    "exclusive_or": Dataset(exclusive_or, "exclusive or", True),
    "spiral": Dataset(spiral, "spiral", True),
    "blobs": Dataset(blobs, "Gaussian blobs", True),
    "first_bit": Dataset(first_bit, "four rows: first bit", True),
    "exclusive_or_of_bits": Dataset(exclusive_or_of_bits, "four rows: exclusive or", True),
    "four_people": Dataset(four_people, "four people", True),
    "plane": Dataset(plane, "plane", False),
    "hill": Dataset(hill, "hill", False),
    "sine": Dataset(sine, "sine of one feature", False),
}
