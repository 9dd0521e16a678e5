"""TrainingAnimation: watch a network learn."""

from __future__ import annotations

import html
import pathlib
import tempfile
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_array

from sknn_scratch._sklearn import callbacks_of, check_matplotlib_support, num_features, safe_indexing
from sknn_scratch.fitting._unwrap import innermost, unwrap
from sknn_scratch.plotting._animation_page import finished
from sknn_scratch.plotting._network import NetworkDisplay, largest_weight
from sknn_scratch.plotting._style import BLUE, GRAY, VERMILLION, diverging_colors, own_axes, step_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from sklearn.base import BaseEstimator
    from sklearn.callback import CallbackContext

    from sknn_scratch._typing import Data


class TrainingAnimation:
    """Record a training on one or two features, and play it back.

    It is a scikit-learn callback: call ``network.set_callbacks(TrainingAnimation())`` before ``fit``, or use
    :meth:`from_estimator`, which fits a copy. A frame shows the data with the decision boundary (two
    features) or the regression curve (one feature), the loss so far, and the network with its weights.

    Parameters
    ----------
    every : int or sequence of int, default=1
        The epochs to record: every n-th epoch, or those listed. The last epoch is always recorded.

    Attributes
    ----------
    epochs_ : list of int
        The epochs recorded; the first is 1.
    models_ : list of estimator
        The fitted estimator after each of these epochs.
    X_, y_ : array-like
        The training data.
    ax_ : matplotlib Axes
        Axes of the last plot.
    figure_ : matplotlib Figure
        Figure of the last plot.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.plotting import TrainingAnimation
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> recording = TrainingAnimation(every=10)
    >>> model = ScratchMLPClassifier(learning_rate_init=0.05, tol=0.01, n_iter_no_change=5, random_state=0)
    >>> model = model.set_callbacks(recording).fit(X, y)
    >>> recording.epochs_
    [10, 20, 21]
    >>> recording.to_gif("moons.gif")  # doctest: +SKIP
    """

    # in a pipeline, what it is given itself: a frame is in the units of the data
    _shown: tuple | None = None

    epochs_: list[int]
    models_: list[Any]
    X_: Any
    y_: Any
    ax_: Axes
    figure_: Figure

    def __init__(self, every: int | Iterable[int] = 1) -> None:
        self.every = every

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Data,
        y: npt.ArrayLike,
        *,
        every: int | Iterable[int] = 1,
        ax: Axes | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit a copy of an estimator, record its training and draw the last frame.

        Parameters
        ----------
        estimator : estimator
            A network, or a pipeline that ends in one. It is not changed.
        X : array-like of shape (n_samples, 1) or (n_samples, 2)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        every : int or sequence of int, default=1
            The epochs to record: every n-th epoch, or those listed. The last epoch is always recorded.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        TrainingAnimation
            The recording.
        """
        check_matplotlib_support("TrainingAnimation.from_estimator")
        recording, model = cls(every), clone(estimator)
        network = innermost(model)
        network.set_callbacks(*callbacks_of(network), recording)
        recording._shown = X, y
        model.fit(X, y, **fit_params)
        recording._shown = None
        front, _ = unwrap(model)
        if front is not None:
            recording.models_ = [make_pipeline(front, network) for network in recording.models_]
        return recording.plot(ax)

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Begin a new recording. This and the next three are the hooks of scikit-learn's protocol."""
        self.__dict__.pop("on_fit_task_end", None)
        is_number = isinstance(self.every, int | np.integer) and self.every > 0
        if not is_number and (not np.iterable(self.every) or isinstance(self.every, str)):
            raise ValueError(f"every={self.every!r} must be a number of epochs >= 1, or a list of epochs.")
        self.epochs_, self.models_ = [], []

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing."""

    def on_fit_task_begin(
        self, estimator: BaseEstimator, context: CallbackContext, *, X: Any = None, y: Any = None
    ) -> None:
        """Keep the data, or decide whether to record the model at the end of this epoch."""
        if context.task_name != "epoch":
            X, y = self._shown or (X, y)
            if not hasattr(X, "columns"):  # lists and sparse matrices have no columns to take
                X = X.toarray() if sparse.issparse(X) else X
                X = check_array(X, dtype=None, ensure_all_finite=False)
            if num_features(X) > 2 or np.shape(y)[1:] not in ((), (1,)):
                raise ValueError(
                    "TrainingAnimation shows data with one or two features and one target, got "
                    f"{num_features(X)} features and y of shape {np.shape(y)}. LossCurveDisplay and "
                    "WeightsDisplay show any data."
                )
            self.X_, self.y_ = X, y
        elif not self._is_wanted(context.task_id + 1):
            # a hook that asks for the fitted estimator costs a copy of the model: for once, one that does not
            self.on_fit_task_end = self._pass_by  # type: ignore[method-assign, assignment]

    def on_fit_task_end(
        self, estimator: BaseEstimator, context: CallbackContext, *, fitted_estimator: Any = None
    ) -> None:
        """Record the model."""
        if fitted_estimator is None:  # an epoch that was broken off
            return
        epoch = context.task_id + 1 if context.task_name == "epoch" else fitted_estimator.n_iter_
        if epoch not in self.epochs_[-1:]:
            self.epochs_.append(epoch)
            # without this callback: training it would begin a new recording
            self.models_.append(fitted_estimator.set_callbacks())

    def _pass_by(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        del self.on_fit_task_end

    def _is_wanted(self, epoch):
        return epoch in self.every if np.iterable(self.every) else epoch % self.every == 0

    def plot(self, ax: Axes | None = None, *, frame: int = -1) -> Self:
        """Draw the data with the decision boundary or the regression curve after one of the epochs.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        frame : int, default=-1
            Position in ``epochs_``; -1 means the last.

        Returns
        -------
        self : TrainingAnimation
            The recording.
        """
        self._check_is_recorded()
        self.ax_ = own_axes(ax, "TrainingAnimation.plot", (6, 5))
        self.figure_ = self.ax_.figure
        draw = self._plot_plane if num_features(self.X_) == 2 else self._plot_curve
        draw(self.models_[frame])
        names = getattr(self.X_, "columns", ("x0", "x1"))
        step = step_name(innermost(self.models_[frame]))
        self.ax_.set(title=f"{step} {self.epochs_[frame]}", xlabel=names[0])
        if num_features(self.X_) == 2:
            self.ax_.set_ylabel(names[1])
        return self

    def _check_is_recorded(self):
        if not getattr(self, "models_", None):
            raise NotFittedError(
                "Nothing is recorded yet: call network.set_callbacks(recording), then network.fit."
            )

    def _plot_plane(self, model):
        x = [np.asarray(safe_indexing(self.X_, i, axis=1), dtype=float) for i in range(2)]
        options = {"ax": self.ax_, "eps": 0.1 * max(map(np.ptp, x)), "plot_method": "contourf"}
        y = np.ravel(self.y_)
        if not is_classifier(model):
            low, high = (y.min(), y.max()) if np.ptp(y) else (y[0] - 1, y[0] + 1)
            options |= {"response_method": "predict", "levels": np.linspace(low, high, 15)}
            display = DecisionBoundaryDisplay.from_estimator(model, self.X_, extend="both", **options)
            colors = display.surface_.to_rgba(y)
        elif len(model.classes_) == 1:  # no boundary to be drawn
            colors = BLUE
            self._legend(model.classes_, [BLUE])
        elif len(model.classes_) == 2:
            options |= {"response_method": "predict_proba", "levels": np.linspace(0, 1, 11)}
            # the middle half of the colours, so that points stand out
            options |= {"cmap": diverging_colors(), "vmin": -0.5, "vmax": 1.5}
            DecisionBoundaryDisplay.from_estimator(model, self.X_, **options)
            colors = np.where(y == model.classes_[1], BLUE, VERMILLION)
            self._legend(model.classes_, [VERMILLION, BLUE])
        else:
            options |= {"response_method": "predict_proba"}
            display = DecisionBoundaryDisplay.from_estimator(model, self.X_, alpha=0.7, **options)
            colors = display.multiclass_colors_[np.searchsorted(model.classes_, y)]
            self._legend(model.classes_, display.multiclass_colors_)
        self.ax_.scatter(*x, c=colors, s=14, edgecolors="white", linewidths=0.5)

    def _legend(self, classes, colors):
        """The colour of each class, of ten at most."""
        from matplotlib.lines import Line2D

        points = {"marker": "o", "ls": "", "markeredgecolor": "white"}
        handles = [
            Line2D([], [], color=color, label=_shortened(f"{label}", 20), **points)
            for label, color in zip(classes[:10], colors[:10], strict=True)
        ]
        if len(classes) > 10:
            handles.append(Line2D([], [], ls="", label=f"and {len(classes) - 10} more"))
        self.ax_.legend(handles=handles, loc="upper right", fontsize="small", handletextpad=0.1)

    def _plot_curve(self, model):
        x, y = np.asarray(safe_indexing(self.X_, 0, axis=1), dtype=float), np.ravel(self.y_)
        grid = np.linspace(x.min(), x.max(), 200)
        points = grid[:, np.newaxis]
        if hasattr(self.X_, "columns"):
            points = type(self.X_)({self.X_.columns[0]: grid})
        if is_classifier(model):
            probabilities = model.predict_proba(points)
            for label, column in zip(model.classes_, probabilities.T, strict=True):
                (line,) = self.ax_.plot(grid, column, lw=2, label=f"{label}")
                here = y == label
                self.ax_.scatter(x[here], np.full(here.sum(), -0.05), s=14, color=line.get_color())
            self.ax_.set(ylim=(-0.1, 1.05), ylabel="probability")
            self.ax_.legend()
        else:
            self.ax_.scatter(x, y, s=14, color=GRAY)
            self.ax_.plot(grid, model.predict(points), lw=2.5, color=VERMILLION)
            self.ax_.set(ylabel="target")

    def to_gif(self, path: str | PathLike[str], *, fps: int = 10, dpi: int = 90) -> None:
        """Write the recording as an animated GIF.

        Parameters
        ----------
        path : str or path
            The file.
        fps : int, default=10
            Frames per second.
        dpi : int, default=90
            Pixels per inch; a frame is 9 x 4.5 inches.
        """
        animation = self._animation("to_gif", fps, dpi)
        from matplotlib.animation import PillowWriter
        from PIL import Image, ImageSequence

        animation.save(path, writer=PillowWriter(fps))
        # with the colours of the last frame for all, what does not move costs nothing: a third is left
        with Image.open(path) as image:
            frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]
        palette = frames[-1].quantize(128)
        first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
        first.save(path, format="GIF", save_all=True, append_images=others, duration=1000 // fps, loop=0)

    def to_html(self, path: str | PathLike[str], *, fps: int = 10, dpi: int = 90) -> None:
        """Write the recording as a web page with play, pause and a slider, in a single file.

        The space bar plays and pauses.

        Parameters
        ----------
        path : str or path
            The file.
        fps : int, default=10
            Frames per second.
        dpi : int, default=90
            Pixels per inch; a frame is 9 x 4.5 inches.
        """
        animation = self._animation("to_html", fps, dpi)
        from matplotlib.animation import HTMLWriter

        writer = HTMLWriter(fps, embed_frames=True, default_mode="loop", embed_limit=_ANY_SIZE)
        animation.save(path, writer=writer)
        page, network = pathlib.Path(path), innermost(self.models_[-1])
        title = f"{type(network).__name__}, {self.epochs_[-1]} {step_name(network)}s of training"
        page.write_text(finished(page.read_text("utf-8"), title), "utf-8")

    def _repr_html_(self) -> str | None:
        """The page of :meth:`to_html`, in notebooks, once there is a recording."""
        if not getattr(self, "models_", None):
            return None
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "recording.html")
            self.to_html(page)
            text = html.escape(page.read_text("utf-8"))
        return f'<iframe srcdoc="{text}" style="width: 100%; height: 32rem; border: 0"></iframe>'

    def to_png(self, folder: str | PathLike[str], *, dpi: int = 90) -> None:
        """Write each frame as a PNG, ``epoch_00010.png`` and so on.

        Parameters
        ----------
        folder : str or path
            Where to write; it is created if necessary.
        dpi : int, default=90
            Pixels per inch; a frame is 9 x 4.5 inches.
        """
        figure, draw = self._stage("to_png", dpi)
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for frame, epoch in enumerate(self.epochs_):
            draw(frame)
            figure.savefig(folder / f"epoch_{epoch:05d}.png")

    def _animation(self, caller, fps, dpi):
        figure, draw = self._stage(caller, dpi)
        from matplotlib.animation import FuncAnimation

        return FuncAnimation(
            figure, draw, frames=len(self.epochs_), interval=1000 / fps, init_func=lambda: None
        )

    def _stage(self, caller, dpi):
        """A figure, and what draws a frame on it."""
        self._check_is_recorded()
        check_matplotlib_support(f"TrainingAnimation.{caller}")
        from matplotlib.figure import Figure

        figure = Figure((9, 4.5), dpi=dpi, layout="constrained")
        axes = figure.subplot_mosaic(
            [["data", "loss"], ["data", "network"]], width_ratios=[1, 1], height_ratios=[1, 1.4]
        )

        networks = [unwrap(model)[1] for model in self.models_]
        vmax = max(largest_weight(network.coefs_, network.intercepts_) for network in networks)

        def draw(frame):
            for one in axes.values():
                one.clear()
            self.plot(axes["data"], frame=frame)
            _plot_loss(axes["loss"], networks[-1], self.epochs_[frame])
            drawing = {"max_units": 8, "vmax": vmax, "colorbar": False}
            NetworkDisplay.from_estimator(networks[frame], ax=axes["network"], **drawing)
            for text in axes["network"].texts:  # room is for the data, whose axes have the names in full
                text.set_text(_shortened(text.get_text(), 12))

        draw(-1)
        figure.draw_without_rendering()  # sizes depend on the layout: from the first frame on, the final one
        return figure, draw


def _plot_loss(ax, network, epoch):
    """The loss curves, of training and of validation data, up to an epoch in full colour."""
    n_epochs = network.n_iter_
    epochs = np.arange(1, n_epochs + 1)
    losses = np.asarray(network.loss_curve_[len(network.loss_curve_) - n_epochs :])
    ax.plot(epochs, losses, color=GRAY, alpha=0.3)
    ax.plot(epochs[:epoch], losses[:epoch], color=BLUE, lw=2, label="training")
    ax.plot(epochs[epoch - 1 : epoch], losses[epoch - 1 : epoch], "o", color=BLUE)
    validation = np.asarray(getattr(network, "validation_loss_curve_", None) or [])[-n_epochs:]
    if len(validation) == n_epochs:
        ax.plot(epochs, validation, color=GRAY, alpha=0.3, ls="--")
        ax.plot(epochs[:epoch], validation[:epoch], color=VERMILLION, lw=2, ls="--", label="validation")
        ax.legend(loc="upper right", fontsize="small")
        losses = np.concatenate([losses, validation])
    scale = "log" if np.all(losses > 0) else "linear"
    ax.set(xlabel=step_name(network), ylabel="loss", yscale=scale)
    ax.locator_params(axis="x", nbins=5, integer=True)
    if scale == "log" and losses.size:
        from matplotlib.ticker import LogLocator, NullFormatter

        ax.yaxis.set_major_locator(LogLocator(numticks=4))
        if losses.max() >= 10 * losses.min():  # within one decade it is these that have figures
            ax.yaxis.set_minor_formatter(NullFormatter())


def _shortened(name, n_characters):
    return name if len(name) <= n_characters else f"{name[: n_characters - 1]}…"


_ANY_SIZE = 1e6  # megabytes
