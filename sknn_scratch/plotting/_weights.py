"""WeightsDisplay: what weights look like, and where gradients vanish."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.estimators._explain import explain_step
from sknn_scratch.fitting._unwrap import unwrap
from sknn_scratch.plotting._style import BLUE, diverging_colors, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from sklearn.base import BaseEstimator

    from sknn_scratch._typing import Data, FloatArray


class WeightsDisplay:
    """Weights of the first layer as images, or histograms of each layer's values.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    weights : list of ndarray of shape (n_inputs, n_outputs)
        Weights of each layer.
    gradients : list of ndarray of shape (n_inputs, n_outputs) or None, default=None
        Gradient of the loss with respect to them.
    activations : list of ndarray of shape (n_samples, n_outputs) or None, default=None
        Output of each layer.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the images or histograms.
    ax_ : matplotlib Axes
        The axes that they replace.
    figure_ : matplotlib Figure
        Figure of the plot.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.plotting import WeightsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ScratchMLPClassifier((16,), tol=0.1, n_iter_no_change=2, random_state=0).fit(X / 16, y)
    >>> WeightsDisplay.from_estimator(model, kind="images").axes_.shape
    (4, 4)
    >>> WeightsDisplay.from_estimator(model, X / 16, y).axes_.shape  # weights, gradients, activations
    (3, 2)
    """

    axes_: npt.NDArray[Any]
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        *,
        weights: list[FloatArray],
        gradients: list[FloatArray] | None = None,
        activations: list[FloatArray] | None = None,
    ) -> None:
        self.weights = weights
        self.gradients = gradients
        self.activations = activations

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Data | None = None,
        y: Data | None = None,
        *,
        kind: Literal["histograms", "images"] = "histograms",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or a pipeline that ends in one.
        X : array-like of shape (n_samples, n_features), default=None
            Data; needed for the histograms of gradients and activations.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets; needed with X.
        kind : {'histograms', 'images'}, default='histograms'
            What to draw.
        ax : matplotlib Axes, default=None
            Axes to replace; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`plot`.

        Returns
        -------
        WeightsDisplay
            The display.
        """
        if X is None:
            return cls(weights=unwrap(estimator)[1].coefs_).plot(ax, kind=kind, **kwargs)
        layers = explain_step(estimator, X, y).layers
        display = cls(
            weights=[layer.weights for layer in layers],
            gradients=[layer.weights_gradient for layer in layers],
            activations=[layer.activation for layer in layers],
        )
        return display.plot(ax, kind=kind, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: Literal["histograms", "images"] = "histograms",
        image_shape: Sequence[int] | None = None,
        max_images: int = 25,
    ) -> Self:
        """Draw images or histograms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to replace; None makes a new figure.
        kind : {'histograms', 'images'}, default='histograms'
            'histograms' has a column for each layer, with the weights and, if known, the sizes of the
            gradients and the activations. All columns have the same scale, so you can see what shrinks from
            layer to layer. 'images' shows the weights of units of the first layer, each as an image of the
            features.
        image_shape : tuple of int, default=None
            Height and width of an image; None means a square.
        max_images : int, default=25
            Maximum number of units shown, starting with the first.

        Returns
        -------
        self : WeightsDisplay
            The display.
        """
        if kind not in ("histograms", "images"):
            raise ValueError(f"kind={kind!r} must be 'histograms' or 'images'.")
        if kind == "images":
            image_shape = self._checked_shape(image_shape)
            if max_images < 1:
                raise ValueError(f"max_images={max_images!r} must be at least 1.")
        self.ax_ = own_axes(ax, "WeightsDisplay.plot", (max(8, 1.8 * len(self.weights)), 6))
        self.figure_ = self.ax_.figure
        self.ax_.axis("off")
        if kind == "images":
            self._plot_images(image_shape, max_images)
        else:
            self._plot_histograms()
        return self

    def _checked_shape(self, image_shape):
        n_features = len(self.weights[0])
        side = math.isqrt(n_features)
        shape = (side, side) if image_shape is None else image_shape
        is_pair = np.shape(shape) == (2,) and all(
            isinstance(size, int | np.integer) and size > 0 for size in shape
        )
        if not is_pair or math.prod(shape) != n_features:
            raise ValueError(
                f"image_shape={image_shape!r} must be (height, width) with height * width = {n_features}, "
                "the number of features."
            )
        return tuple(shape)

    def _subplots(self, n_rows, n_columns, **kwargs):
        """Axes in the place of `ax_`."""
        place = self.ax_.get_subplotspec()
        if place is None:  # axes outside of any grid
            box = self.ax_.get_position()
            place = self.figure_.add_gridspec(left=box.x0, right=box.x1, bottom=box.y0, top=box.y1)[0]
        return place.subgridspec(n_rows, n_columns).subplots(squeeze=False, **kwargs)

    def _plot_images(self, image_shape, max_images):
        weights = self.weights[0]
        n_units = weights.shape[1]
        n_images = min(max_images, n_units)
        n_columns = math.ceil(math.sqrt(n_images))
        self.axes_ = self._subplots(math.ceil(n_images / n_columns), n_columns)
        largest = np.abs(weights[:, :n_images]).max()
        for axes in self.axes_.flat:
            axes.axis("off")
        for unit, axes in zip(range(n_images), self.axes_.flat, strict=False):
            image = axes.imshow(
                weights[:, unit].reshape(image_shape), cmap=diverging_colors(), vmin=-largest, vmax=largest
            )
        label = f"weights of the first layer,\nunits 1 to {n_images} of {n_units}"
        self.figure_.colorbar(image, ax=self.axes_, label=label, shrink=0.8)

    def _plot_histograms(self):
        rows: dict[str, Any] = {"weight": self.weights}
        if self.gradients is not None:
            rows["size of gradient"] = [np.abs(gradient) for gradient in self.gradients]
            rows["activation"] = self.activations
        self.axes_ = self._subplots(len(rows), len(self.weights), sharex="row")
        for row, (label, arrays) in zip(self.axes_, rows.items(), strict=True):
            values = np.concatenate([np.ravel(array) for array in arrays])
            is_size = label == "size of gradient"
            if is_size:  # from layer to layer they differ by orders of magnitude
                values = values[values > 0]
                row[0].set_xscale("log")
                row[0].xaxis.get_major_locator().set_params(numticks=3)
            else:
                row[0].locator_params("x", nbins=3)
            bins = _bins(values, np.geomspace if is_size else np.linspace)
            for axes, array in zip(row, arrays, strict=True):
                counts, _ = np.histogram(array, bins)
                axes.stairs(counts / np.size(array), bins, fill=True, color=BLUE)
                axes.set_yticks([])
                axes.tick_params(labelsize="small")
            row[len(row) // 2].set_xlabel(label)
        for number, axes in enumerate(self.axes_[0], start=1):
            axes.set_title(f"layer {number}", fontsize="medium")
        self.axes_[len(rows) // 2, 0].set_ylabel("share of entries")


def _bins(values, spacing):
    """Edges of 40 bins from the smallest to the largest value."""
    low, high = (values.min(), values.max()) if values.size else (0.5, 2.0)
    if low == high:
        low, high = sorted((0.9 * low, 1.1 * high)) if low else (-1e-9, 1e-9)
    return spacing(low, high, 41)
