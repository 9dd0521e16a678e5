"""LossCurveDisplay: the course of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sknn_scratch.fitting._unwrap import MLPS, unwrap
from sknn_scratch.plotting._style import CYCLE, legend_below, own_axes, step_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from sklearn.base import BaseEstimator

    from sknn_scratch._typing import FloatArray


class LossCurveDisplay:
    """Training loss at each epoch, with validation losses and scores if there are any.

    In a figure of its own, the loss axis is logarithmic if losses span two decades or more. Scores that are
    the negative validation losses, as with ``scoring="loss"``, are not drawn a second time.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss at each epoch, or at each iteration of lbfgs.
    validation_loss_curve : array-like of shape (n_epochs,) or None, default=None
        Loss on the validation part at each epoch.
    validation_scores : array-like of shape (n_epochs,) or None, default=None
        Validation score at each epoch, drawn on a separate axis on the right.
    best_iter : int or None, default=None
        The epoch whose weights were kept; it is marked.
    name : str or None, default=None
        Name of the estimator in the legend.
    step_name : str, default="epoch"
        Label of the horizontal axis: what it counts.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the losses.
    score_ax_ : matplotlib Axes or None
        Axes of the scores.
    figure_ : matplotlib Figure
        Figure of the plot.
    line_ : matplotlib Line2D
        The losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses.
    score_line_ : matplotlib Line2D or None
        The scores.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.plotting import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> small, large = (
    ...     ScratchMLPClassifier(units, n_iter_no_change=5, tol=0.01, random_state=0).fit(X, y)
    ...     for units in (5, 50)
    ... )
    >>> display = LossCurveDisplay.from_estimator(small, name="5 units")
    >>> display = LossCurveDisplay.from_estimator(large, name="50 units", ax=display.ax_)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['5 units: training loss', '50 units: training loss']
    """

    ax_: Axes
    score_ax_: Axes | None
    figure_: Figure
    line_: Line2D
    validation_line_: Line2D | None
    score_line_: Line2D | None

    def __init__(
        self,
        *,
        loss_curve: Sequence[float] | FloatArray,
        validation_loss_curve: Sequence[float] | FloatArray | None = None,
        validation_scores: Sequence[float] | FloatArray | None = None,
        best_iter: int | None = None,
        name: str | None = None,
        step_name: str = "epoch",
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.validation_scores = validation_scores
        self.best_iter = best_iter
        self.name = name
        self.step_name = step_name

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, name: str | None = None, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw the loss curve of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network (also one for tables), or a pipeline or search that ends in one.
        name : str, default=None
            Name of the estimator in the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. With the ``ax_`` of another display, both are compared.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for the losses.

        Returns
        -------
        LossCurveDisplay
            The display.
        """
        _, network = unwrap(
            estimator,
            lambda one: getattr(one, "trains_by_epochs", False),
            names=f"{MLPS}, a ScratchRealMLPClassifier, a ScratchRealMLPRegressor",
        )
        display = cls(
            loss_curve=network.loss_curve_,
            validation_loss_curve=getattr(network, "validation_loss_curve_", None),
            validation_scores=network.validation_scores_,
            best_iter=getattr(network, "best_iter_", None),
            name=name,
            step_name=step_name(network),
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **kwargs: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        name : str, default=None
            Name of the estimator in the legend; None keeps the name given before.
        **kwargs : dict
            Passed to matplotlib's ``plot`` for the losses.

        Returns
        -------
        self : LossCurveDisplay
            The display.
        """
        self.ax_ = own_axes(ax, "LossCurveDisplay.plot", (7, 4))
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        prefix = "" if name is None else f"{name}: "
        steps = np.arange(1, len(self.loss_curve) + 1)
        n_colors = len({line.get_color() for line in self.ax_.get_lines()})  # a display has one
        color = CYCLE[n_colors % len(CYCLE)]
        # a line of one point is seen by its marker only
        marker = "o" if len(steps) == 1 else None
        kwargs = {"lw": 2, "color": color, "marker": marker, "label": f"{prefix}training loss", **kwargs}
        (self.line_,) = self.ax_.plot(steps, self.loss_curve, **kwargs)
        scores, losses = self.validation_scores, self.validation_loss_curve
        scored_by_loss = (
            losses is not None and scores is not None and np.array_equal(np.negative(scores), losses)
        )
        self.validation_line_ = None
        if losses is not None:
            options = {"color": self.line_.get_color(), "ls": ":", "label": f"{prefix}validation loss"}
            if scored_by_loss:
                options = self._mark_best(losses, options)
            (self.validation_line_,) = self.ax_.plot(self._last_steps(losses), losses, **options)
        self.ax_.set(xlabel=self.step_name, ylabel="loss")
        if self.ax_.get_xscale() == "linear":
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        if ax is None and _span_decades(self.ax_.get_lines()):  # axes that are given keep their scale
            self.ax_.set_yscale("log")

        self.score_ax_ = self._existing_score_axes()
        self.score_line_ = None
        if scores is not None and not scored_by_loss:
            self._plot_scores(scores, prefix)
        axes = [one for one in (self.ax_, self.score_ax_) if one is not None]
        handles = [line for one in axes for line in one.get_lines()]
        if name is not None or len(handles) > 1:
            legend_below(self.ax_, handles, n_columns=2)
        return self

    def _plot_scores(self, scores, prefix):
        if self.score_ax_ is None:
            self.score_ax_ = self.ax_.twinx()
            self.score_ax_.set_gid(_SCORES)
            self.score_ax_.set_ylabel("validation score")
        options = {"label": f"{prefix}validation score", "color": self.line_.get_color(), "ls": "--"}
        options = self._mark_best(scores, options)
        (self.score_line_,) = self.score_ax_.plot(self._last_steps(scores), scores, **options)

    def _mark_best(self, values, options):
        """The options of a line of validation values, with a marker at the epoch whose weights were kept."""
        if self.best_iter is None:
            return options
        best = self.best_iter - self._last_steps(values)[0]
        label = f"{options['label']}, best {values[best]:.3g} in {self.step_name} {self.best_iter}"
        return options | {"label": label, "marker": "o", "markevery": [best]}

    def _last_steps(self, values):
        """The steps of values that may have begun in a later fit than the losses, with warm_start."""
        return np.arange(len(self.loss_curve) - len(values), len(self.loss_curve)) + 1

    def _existing_score_axes(self):
        """The axes of scores that an earlier display has put over the same axes."""
        for other in self.figure_.axes:
            if other.get_gid() == _SCORES and other.get_position().bounds == self.ax_.get_position().bounds:
                return other
        return None


def _span_decades(lines):
    """Whether all values are positive, and the largest is 100 times the smallest or more."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in lines])
    values = values[np.isfinite(values)]
    return values.size > 0 and 0 < 100 * values.min() <= values.max()


_SCORES = "validation scores"
