"""NetworkDisplay: a drawing of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.fitting._unwrap import unwrap
from sknn_scratch.plotting._style import GRAY, diverging_colors, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.figure import Figure
    from sklearn.base import BaseEstimator

    from sknn_scratch._typing import FloatArray


class NetworkDisplay:
    """The units of a network and the connections between them.

    A connection is blue if its weight is positive and vermillion if it is negative; larger weights are drawn
    wider. The colour of a unit shows its bias. Only the first and last units of large layers are drawn.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_inputs, n_outputs)
        Weights of each layer.
    intercepts : list of ndarray of shape (n_outputs,)
        Biases of each layer.
    feature_names : list of str
        Names of the inputs.
    output_names : list of str
        Names of the outputs.
    layer_names : list of str
        Text under each layer, starting with the inputs.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.
    edges_ : list of matplotlib LineCollection
        The connections of each layer.
    units_ : list of matplotlib PathCollection
        The units of each layer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.plotting import NetworkDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = ScratchMLPClassifier((100,), solver="lbfgs", max_iter=500, random_state=0).fit(X, y)
    >>> display = NetworkDisplay.from_estimator(model, class_names=["setosa", "versicolor", "virginica"])
    >>> display.layer_names
    ['4 inputs', '100 relu', '3 softmax']
    """

    ax_: Axes
    figure_: Figure
    edges_: list[LineCollection]
    units_: list[PathCollection]

    def __init__(
        self,
        *,
        coefs: list[FloatArray],
        intercepts: list[FloatArray],
        feature_names: list[str],
        output_names: list[str],
        layer_names: list[str],
    ) -> None:
        self.coefs = coefs
        self.intercepts = intercepts
        self.feature_names = feature_names
        self.output_names = output_names
        self.layer_names = layer_names

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        feature_names: Sequence[Any] | npt.NDArray[Any] | None = None,
        class_names: Sequence[Any] | npt.NDArray[Any] | None = None,
        max_units: int = 10,
        vmax: float | None = None,
        colorbar: bool = True,
        ax: Axes | None = None,
    ) -> Self:
        """Draw a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or a pipeline that ends in one.
        feature_names : list of str, default=None
            Names of the inputs; None takes them from the pipeline or the data frame it was fitted on.
        class_names : list of str, default=None
            Names of the classes, in the order of ``classes_``, or of the targets in regression.
        max_units : int, default=10
            Maximum number of units drawn per layer.
        vmax : float, default=None
            Weight or bias drawn in full colour; None means the largest.
        colorbar : bool, default=True
            Whether to draw a colour scale.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        NetworkDisplay
            The display.
        """
        front, network = unwrap(estimator)
        n_outputs = len(network.intercepts_[-1])
        if feature_names is None:
            feature_names = _feature_names(front, network)
        known_names = getattr(network, "classes_", [f"y{i}" for i in range(n_outputs)])
        if len(np.shape(known_names[0])) == 1:  # several columns of classes
            known_names = [name for names in known_names for name in names]
        if class_names is None:
            class_names = known_names
        for parameter, names, n in (
            ("feature_names", feature_names, len(network.coefs_[0])),
            ("class_names", class_names, len(known_names)),
        ):
            if len(names) != n:
                raise ValueError(f"{parameter} must name {n} units, got {len(names)} names: {list(names)}.")
        functions = [
            *(type(function).__name__ for function in network._hidden_activations()),
            network.out_activation_,
        ]
        n_inputs, sizes = len(network.coefs_[0]), [len(intercept) for intercept in network.intercepts_]
        display = cls(
            coefs=network.coefs_,
            intercepts=network.intercepts_,
            feature_names=[str(name) for name in feature_names],
            # the one output of two classes is the probability of the second
            output_names=[str(name) for name in class_names[-n_outputs:]],
            layer_names=[
                f"{n_inputs} {'input' if n_inputs == 1 else 'inputs'}",
                *(f"{size} {name.lower()}" for size, name in zip(sizes, functions, strict=True)),
            ],
        )
        return display.plot(ax, max_units=max_units, vmax=vmax, colorbar=colorbar)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_units: int = 10,
        vmax: float | None = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        max_units : int, default=10
            Maximum number of units drawn per layer.
        vmax : float, default=None
            Weight or bias drawn in full colour; None means the largest.
        colorbar : bool, default=True
            Whether to draw a colour scale.

        Returns
        -------
        self : NetworkDisplay
            The display.
        """
        if max_units < 1:
            raise ValueError(f"max_units={max_units!r} must be at least 1.")
        sizes = [self._size(layer) for layer in range(len(self.coefs) + 1)]
        n_characters = sum(max(map(len, names)) for names in (self.feature_names, self.output_names))
        self.ax_ = own_axes(ax, "NetworkDisplay.plot", (1.6 * len(sizes) + 1.5 + 0.09 * n_characters, 5))
        self.figure_ = self.ax_.figure
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        if vmax is None:
            vmax = largest_weight(self.coefs, self.intercepts)
        scale = ScalarMappable(Normalize(-vmax, vmax), diverging_colors())
        shown = [_shown(size, max_units) for size in sizes]
        heights = [_heights(size, units) for size, units in zip(sizes, shown, strict=True)]
        self.ax_.set(xlim=(-0.9, len(sizes) - 0.1), ylim=(-1.4, 1.15))
        self.ax_.axis("off")
        self.edges_ = [
            self._plot_edges(layer, shown[layer : layer + 2], heights[layer : layer + 2], scale)
            for layer in range(len(self.coefs))
        ]
        self.units_ = [
            self._plot_units(layer, shown[layer], heights[layer], scale) for layer in range(len(sizes))
        ]
        self._plot_names(shown, heights)
        if colorbar:
            self.figure_.colorbar(scale, ax=self.ax_, label="weight; in units: bias", shrink=0.7)
        return self

    def _plot_edges(self, layer, shown, heights, scale):
        from matplotlib.collections import LineCollection

        weights = self.coefs[layer][np.ix_(*shown)].ravel()
        lines = np.array([[(layer, start), (layer + 1, end)] for start in heights[0] for end in heights[1]])
        order = np.argsort(np.abs(weights))  # large ones on top
        widths = 0.3 + 3.7 * np.minimum(1, np.abs(weights[order]) / scale.norm.vmax)
        edges = LineCollection(
            lines[order], linewidths=widths, colors=scale.to_rgba(weights[order]), zorder=1
        )
        return self.ax_.add_collection(edges)

    def _plot_units(self, layer, shown, heights, scale):
        biases = self.intercepts[layer - 1][shown] if layer else np.zeros(len(shown))
        if len(shown) < self._size(layer):
            self.ax_.text(layer, 0, "⋮", ha="center", va="center", fontsize="large")
        return self.ax_.scatter(
            np.full(len(shown), layer),
            heights,
            s=min(160, (0.09 * _points(self.ax_)[1]) ** 2),
            c=scale.to_rgba(biases),
            edgecolors=GRAY,
            linewidths=1,
            zorder=2,
        )

    def _plot_names(self, shown, heights):
        last = len(self.coefs)
        room = _points(self.ax_)[0] / (last + 2)
        longest = max(len(word) for name in self.layer_names for word in name.split())
        fontsize = min(10, max(7, room / (0.55 * longest)))
        for layer, name in enumerate(self.layer_names):
            text = name.replace(" ", "\n")
            self.ax_.text(layer, -1.15, text, ha="center", va="top", fontsize=fontsize)
        for layer, names, gap, side in (
            (0, self.feature_names, -10, "right"),
            (last, self.output_names, 10, "left"),
        ):
            for unit, height in zip(shown[layer], heights[layer], strict=True):
                where = {"xytext": (gap, 0), "textcoords": "offset points"}
                self.ax_.annotate(names[unit], (layer, height), ha=side, va="center", **where)

    def _size(self, layer):
        return len(self.intercepts[layer - 1]) if layer else len(self.coefs[0])


def largest_weight(coefs, intercepts):
    """The largest weight or bias, for a scale of colours."""
    return max(float(np.abs(array).max()) for array in (*coefs, *intercepts)) or 1.0


def _points(ax):
    """Width and height of axes in points, of which an inch has 72."""
    return 72 * ax.bbox.size / ax.figure.dpi


def _shown(size, max_units):
    """Numbers of the units that are drawn: all, or the first and the last."""
    if size <= max_units:
        return np.arange(size)
    n_first = (max_units + 1) // 2
    return np.r_[:n_first, size - max_units + n_first : size]


def _heights(size, units):
    """From top to bottom, with room in the middle where units are left out."""
    if len(units) == size:
        # a layer of few units is as high as its share of a layer of many
        reach = min(1.0, 0.25 * (size - 1))
        return np.linspace(reach, -reach, size)
    n_first = (len(units) + 1) // 2
    return np.r_[np.linspace(1.0, 0.2, n_first), -np.linspace(1.0, 0.2, len(units) - n_first)[::-1]]


def _feature_names(front, network):
    n_features = len(network.coefs_[0])
    if front is not None and hasattr(front, "get_feature_names_out"):
        try:
            return front.get_feature_names_out()
        except (AttributeError, ValueError):  # one of its steps does not know them
            pass
    return getattr(network, "feature_names_in_", [f"x{i}" for i in range(n_features)])
