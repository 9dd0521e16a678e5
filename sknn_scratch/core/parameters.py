"""All parameters of a network in one flat vector, with a named view per layer.

With one vector, an optimizer step is a handful of array operations at any depth, and copying the model is one
copy. Gradients have the same layout, so ``theta -= lr * gradient`` is the whole of gradient descent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.machine.memory import aligned, aligned_copy

FloatArray = npt.NDArray[np.floating[Any]]
LayerParameters = Mapping[str, FloatArray]
Shapes = Sequence[Mapping[str, tuple[int, ...]]]

WEIGHTS = "weights"
"""The one name of parameters that an L2 penalty shrinks."""


class Parameters:
    """One contiguous vector and its views.

    The weights of all layers come first, then everything else, so that an L2 penalty acts on one slice.

    Parameters
    ----------
    shapes : sequence of mappings
        For each layer, the shape of each of its arrays by name.
    flat : ndarray of shape (n_parameters,)
        The memory. It is used, not copied.

    Attributes
    ----------
    flat : ndarray of shape (n_parameters,)
        All values.
    layers : tuple of dict
        For each layer, name -> view into `flat`.
    n_weights : int
        Number of values at the front of `flat` that are weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Parameters
    >>> parameters = Parameters([{"weights": (2, 1), "bias": (1,)}], np.zeros(3))
    >>> parameters.layers[0]["bias"][:] = 7
    >>> parameters.flat
    array([0., 0., 7.])
    """

    def __init__(self, shapes: Shapes, flat: FloatArray) -> None:
        self.shapes = tuple(dict(layer) for layer in shapes)
        if flat.size != count_parameters(self.shapes):
            raise ValueError(
                f"The shapes hold {count_parameters(self.shapes)} values, but flat has {flat.size}."
            )
        self.flat = flat
        views: list[dict[str, FloatArray]] = [{} for _ in self.shapes]
        start = 0
        for of_weights in (True, False):
            for view, layer in zip(views, self.shapes, strict=True):
                for name, shape in layer.items():
                    if (name == WEIGHTS) is of_weights:
                        stop = start + math.prod(shape)
                        view[name] = flat[start:stop].reshape(shape)
                        start = stop
            if of_weights:
                self.n_weights = start
        self.layers = tuple(views)

    @classmethod
    def empty(cls, shapes: Shapes, dtype: npt.DTypeLike) -> Self:
        """Parameters of these shapes with their own memory, not yet initialised."""
        return cls(shapes, aligned(count_parameters(shapes), dtype))

    def copy(self) -> Parameters:
        """A copy with its own memory."""
        return Parameters(self.shapes, aligned_copy(self.flat))

    # Views are rebuilt, never stored: pickled or copied one by one they would lose their tie to `flat`.
    def __reduce__(self) -> tuple[type[Parameters], tuple[Any, ...]]:
        return Parameters, (self.shapes, self.flat)


def count_parameters(shapes: Shapes) -> int:
    """Count the numbers in arrays of these shapes.

    Parameters
    ----------
    shapes : sequence of mappings
        For each layer, the shape of each of its arrays by name.

    Returns
    -------
    int
        The size of the flat vector.

    Examples
    --------
    >>> from sknn_scratch.core import count_parameters
    >>> count_parameters([{"weights": (64, 100), "bias": (100,)}])
    6500
    """
    return sum(math.prod(shape) for layer in shapes for shape in layer.values())


def largest_weights(layers: Sequence[LayerParameters]) -> int:
    """Size of the largest weight matrix: the number of multiplications of its product for each row.

    Parameters
    ----------
    layers : sequence of mappings
        For each layer, its parameters by name.

    Returns
    -------
    int
        The size of one array.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core.parameters import largest_weights
    >>> largest_weights([{"weights": np.zeros((64, 100)), "bias": np.zeros(100)}, {}])
    6400
    """
    return max((layer[WEIGHTS].size for layer in layers if WEIGHTS in layer), default=0)
