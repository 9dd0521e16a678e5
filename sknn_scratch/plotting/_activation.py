"""ActivationDisplay: a function and its derivative."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.core import ACTIVATIONS, Activation
from sknn_scratch.fitting._unwrap import unwrap
from sknn_scratch.plotting._style import BLUE, GRAY, VERMILLION, legend_below, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from sklearn.base import BaseEstimator

    from sknn_scratch._typing import ActivationLike, FloatArray


class ActivationDisplay:
    """An activation function and its derivative.

    It is recommended to use :meth:`from_activation` or :meth:`from_estimator`.

    Parameters
    ----------
    z : ndarray of shape (n_points,)
        Points at which the function is drawn.
    values, slopes : ndarray of shape (n_points,)
        f(z) and f'(z).
    activation : Activation
        The function.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.
    lines_ : list of matplotlib Line2D
        The function and its derivative.

    Examples
    --------
    >>> from sknn_scratch.plotting import ActivationDisplay
    >>> display = ActivationDisplay.from_activation("tanh")
    >>> [line.get_label() for line in display.lines_]
    ['a = f(z) = tanh(z)', "f'(z) = 1 - a^2"]
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]

    def __init__(
        self, *, z: FloatArray, values: FloatArray, slopes: FloatArray, activation: Activation
    ) -> None:
        self.z = z
        self.values = values
        self.slopes = slopes
        self.activation = activation

    @classmethod
    def from_activation(
        cls, activation: ActivationLike, *, z: npt.ArrayLike | None = None, ax: Axes | None = None
    ) -> Self:
        """Draw an activation function and its derivative as the network computes them.

        Parameters
        ----------
        activation : str or Activation
            A name of the registry, such as 'relu', or an object.
        z : array-like of shape (n_points,), default=None
            Points at which to draw it; None means 201 points from -4 to 4.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        ActivationDisplay
            The display.
        """
        if isinstance(activation, str) and activation in ACTIVATIONS:
            activation = ACTIVATIONS[activation]()
        if not isinstance(activation, Activation):
            raise ValueError(
                f"activation={activation!r} must be an Activation or one of {sorted(ACTIVATIONS)}."
            )
        z = np.linspace(-4, 4, 201) if z is None else np.asarray(z, dtype=np.float64)
        column = z[:, np.newaxis].copy()
        a = np.empty_like(column) if activation.keeps_z else column
        activation.forward(column, out=a)
        values, slopes = a.ravel().copy(), np.ones_like(column)
        activation.backward(column, a, slopes)
        return cls(z=z, values=values, slopes=slopes.ravel(), activation=activation).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        layer: int = 0,
        z: npt.ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the activation function of a hidden layer.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or a pipeline that ends in one.
        layer : int, default=0
            Number of the hidden layer.
        z : array-like of shape (n_points,), default=None
            Points at which to draw it; None means 201 points from -4 to 4.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        ActivationDisplay
            The display.
        """
        activations = unwrap(estimator)[1]._hidden_activations()
        if not 0 <= layer < len(activations):
            raise ValueError(
                f"layer={layer!r} must be the number of one of the {len(activations)} hidden layers."
            )
        return cls.from_activation(activations[layer], z=z, ax=ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the function and its derivative.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : ActivationDisplay
            The display.
        """
        self.ax_ = own_axes(ax, "ActivationDisplay.plot", (5, 4))
        self.figure_ = self.ax_.figure
        self.ax_.axhline(0, color=GRAY, lw=0.8)
        self.ax_.axvline(0, color=GRAY, lw=0.8)
        self.lines_ = [
            *self.ax_.plot(
                self.z, self.values, color=BLUE, lw=2, label=_equation("a", "f(z)", self.activation.formula)
            ),
            *self.ax_.plot(
                self.z,
                self.slopes,
                color=VERMILLION,
                lw=2,
                ls="--",
                label=_equation("f'(z)", self.activation.derivative),
            ),
        ]
        self.ax_.set(xlabel="z", title=type(self.activation).__name__)
        legend_below(self.ax_, self.lines_)
        return self


def _equation(*sides: str) -> str:
    """The sides, without the formula of a function that has none; in lines as wide as the figure."""
    return textwrap.fill(" = ".join(dict.fromkeys(sides)), 50)
