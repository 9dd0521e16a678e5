import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.pipeline import make_pipeline

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPClassifier
from sknn_scratch.core import BinaryLogLoss
from sknn_scratch.plotting import LossCurveDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_moons(100, noise=0.2, random_state=0)


def fitted(**params):
    params = {"hidden_layer_sizes": (8,), "max_iter": 12, "learning_rate_init": 0.05, **params}
    return ScratchMLPClassifier(random_state=0, **params).fit(X, y)


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def assert_shows(line, values, first=1):
    np.testing.assert_array_equal(line.get_ydata(), values)
    np.testing.assert_array_equal(line.get_xdata(), first + np.arange(len(values)))


def marked(line):
    """The horizontal coordinates of the markers of a line."""
    return line.get_xdata()[line.get_markevery()].tolist() if line.get_marker() == "o" else []


@pytest.fixture(scope="module")
def stopped():
    """Two models with validation scores, of which the best is not the last."""
    models = [fitted(hidden_layer_sizes=units, early_stopping=True) for units in ((2,), (50,))]
    assert all(np.argmax(model.validation_scores_) < model.n_iter_ - 1 for model in models)
    return models


class TestLosses:
    @pytest.mark.parametrize(
        "params", [{}, {"solver": "sgd"}, {"dtype": "float32"}, {"hidden_layer_sizes": ()}]
    )
    def test_each_epoch_has_its_loss(self, params):
        model = fitted(**params)
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.line_, model.loss_curve_)
        assert display.ax_.get_xlabel() == "epoch"
        assert display.ax_.get_ylabel() == "loss"
        assert display.validation_line_ is None
        assert display.score_ax_ is None
        assert display.score_line_ is None
        assert display.ax_.get_legend() is None  # one line needs none

    def test_lbfgs_counts_iterations(self):
        model = fitted(solver="lbfgs")
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.line_, model.loss_curve_)
        assert display.ax_.get_xlabel() == "iteration"

    def test_of_a_regressor_with_several_targets(self):
        model = ScratchMLPRegressor(max_iter=5, random_state=0).fit(X, X @ [[1, 2, 3], [3, 2, 1]])
        assert_shows(LossCurveDisplay.from_estimator(model).line_, model.loss_curve_)

    def test_epochs_of_several_fits_follow_each_other(self):
        model = fitted(warm_start=True, max_iter=3).fit(X, y).partial_fit(X, y)
        assert_shows(LossCurveDisplay.from_estimator(model).line_, model.loss_curve_)
        assert len(model.loss_curve_) == 7

    def test_ticks_are_whole_epochs(self):
        display = LossCurveDisplay.from_estimator(fitted(max_iter=3))
        low, high = display.ax_.get_xlim()
        ticks = [tick for tick in display.ax_.get_xticks() if low <= tick <= high]
        assert ticks == [1, 2, 3]

    def test_one_epoch_is_seen(self):
        display = LossCurveDisplay.from_estimator(fitted(max_iter=1))
        assert display.line_.get_marker() not in (None, "None", "", " ")

    def test_loss_that_does_not_change(self):
        model = fitted(solver="sgd", learning_rate_init=1e-300, shuffle=False)
        assert len(set(model.loss_curve_)) == 1
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.line_, model.loss_curve_)
        display.figure_.canvas.draw()

    def test_options_are_those_of_matplotlib(self):
        display = LossCurveDisplay.from_estimator(fitted(), name="net", color="red", ls=":", label="mine")
        assert display.line_.get_color() == "red"
        assert display.line_.get_linestyle() == ":"
        assert legend_of(display) == ["mine"]

    @pytest.mark.parametrize("style", ["-", "--", ":"])
    def test_models_differ_in_color_whatever_their_style(self, style):
        display = LossCurveDisplay.from_estimator(fitted(), name="a", ls=style)
        colors = {display.line_.get_color()}
        for name in "bc":
            display = LossCurveDisplay.from_estimator(fitted(), name=name, ls=style, ax=display.ax_)
            colors.add(display.line_.get_color())
        assert len(colors) == 3

    @pytest.mark.parametrize("scale", ["log", "symlog"])
    def test_axes_may_be_logarithmic(self, scale, pyplot):
        _, ax = pyplot.subplots()
        ax.set(xscale=scale, yscale=scale)
        display = LossCurveDisplay.from_estimator(fitted(), ax=ax)
        display.figure_.canvas.draw()
        assert (ax.get_xscale(), ax.get_yscale()) == (scale, scale)

    def test_losses_that_span_decades_have_a_logarithmic_axis(self, pyplot):
        model = fitted(solver="lbfgs", max_iter=200, hidden_layer_sizes=(30,), alpha=0)
        assert max(model.loss_curve_) > 100 * min(model.loss_curve_) > 0
        assert LossCurveDisplay.from_estimator(model).ax_.get_yscale() == "log"
        given = pyplot.subplots()[1]
        assert LossCurveDisplay.from_estimator(model, ax=given).ax_.get_yscale() == "linear"
        for losses in ([1.0, 0.02], [1.0, 0.0], [100.0, -1.0], [np.nan, 1.0], []):
            display = LossCurveDisplay(loss_curve=losses).plot()
            assert display.ax_.get_yscale() == "linear"


class TestValidation:
    def test_scores_that_are_losses_are_not_drawn_twice(self):
        model = fitted(early_stopping=True, scoring="loss")
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.validation_line_, model.validation_loss_curve_)
        assert marked(display.validation_line_) == [model.best_iter_]
        best = min(model.validation_loss_curve_)
        assert legend_of(display) == [
            "training loss",
            f"validation loss, best {best:.3g} in epoch {model.best_iter_}",
        ]
        assert display.score_line_ is None
        assert display.figure_.axes == [display.ax_]

    def test_each_epoch_has_its_loss_and_score_and_the_best_is_marked(self, stopped):
        for model in stopped:
            display = LossCurveDisplay.from_estimator(model)
            best = int(np.argmax(model.validation_scores_)) + 1
            assert_shows(display.line_, model.loss_curve_)
            assert_shows(display.validation_line_, model.validation_loss_curve_)
            assert_shows(display.score_line_, model.validation_scores_)
            assert marked(display.score_line_) == [best]
            assert legend_of(display) == [
                "training loss",
                "validation loss",
                f"validation score, best {model.best_validation_score_:.3g} in epoch {best}",
            ]
            assert display.score_ax_.get_ylabel() == "validation score"
            assert display.score_ax_ is not display.ax_
            lines = [display.line_, display.validation_line_, display.score_line_]
            assert len({line.get_color() for line in lines}) == 1
            assert len({line.get_linestyle() for line in lines}) == 3

    def test_of_data_that_are_only_watched_no_epoch_is_marked(self):
        for solver in ("adam", "lbfgs"):
            model = ScratchMLPClassifier((5,), solver=solver, max_iter=4, random_state=0)
            model.fit(X, y, X_val=-X, y_val=y)
            display = LossCurveDisplay.from_estimator(model)
            assert_shows(display.validation_line_, model.validation_loss_curve_)
            assert_shows(display.score_line_, model.validation_scores_)
            assert marked(display.score_line_) == []
            assert legend_of(display) == ["training loss", "validation loss", "validation score"]

    def test_of_equal_scores_the_first_is_marked_as_early_stopping_keeps_it(self):
        model = fitted(early_stopping=True, solver="sgd", learning_rate_init=1e-300)
        assert len(set(model.validation_scores_)) == 1
        assert marked(LossCurveDisplay.from_estimator(model).score_line_) == [1]

    def test_of_several_fits_each_epoch_has_its_own(self):
        model = fitted(warm_start=True, max_iter=3, early_stopping=True).fit(X, y)
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.line_, model.loss_curve_)
        assert_shows(display.validation_line_, model.validation_loss_curve_)
        assert marked(display.score_line_) == [np.argmax(model.validation_scores_) + 1]

    @pytest.mark.parametrize("early_stopping", [True, False])
    def test_epochs_before_there_were_validation_data_have_none(self, early_stopping):
        model = fitted(warm_start=True, max_iter=3).set_params(early_stopping=early_stopping)
        model.fit(X, y, X_val=X[:50], y_val=y[:50])
        display = LossCurveDisplay.from_estimator(model)
        assert_shows(display.line_, model.loss_curve_)
        assert_shows(display.validation_line_, model.validation_loss_curve_, first=4)
        assert_shows(display.score_line_, model.validation_scores_, first=4)
        best = [4 + np.argmax(model.validation_scores_)] if early_stopping else []
        assert marked(display.score_line_) == best

    def test_two_models_share_both_axes_and_the_legend(self, stopped):
        first, second = stopped
        display = LossCurveDisplay.from_estimator(first, name="small")
        other = LossCurveDisplay.from_estimator(second, name="large", ax=display.ax_)
        assert other.score_ax_ is display.score_ax_
        assert other.figure_.axes == [display.ax_, display.score_ax_]
        assert_shows(other.line_, second.loss_curve_)
        assert_shows(other.validation_line_, second.validation_loss_curve_)
        assert_shows(other.score_line_, second.validation_scores_)
        assert other.line_.get_color() != display.line_.get_color()
        assert other.score_line_.get_color() == other.line_.get_color()
        assert [label.split(",")[0] for label in legend_of(other)] == [
            "small: training loss",
            "small: validation loss",
            "large: training loss",
            "large: validation loss",
            "small: validation score",
            "large: validation score",
        ]

    @pytest.mark.parametrize("scored_first", [True, False])
    def test_one_model_with_scores_and_one_without(self, stopped, scored_first):
        models = [stopped[0], fitted()] if scored_first else [fitted(), stopped[0]]
        display = LossCurveDisplay.from_estimator(models[0], name="a")
        display = LossCurveDisplay.from_estimator(models[1], name="b", ax=display.ax_)
        assert len(display.figure_.axes) == 2
        assert (display.score_line_ is None) == scored_first
        scored = "a" if scored_first else "b"
        assert sorted(label.split(",")[0] for label in legend_of(display)) == sorted(
            [
                "a: training loss",
                "b: training loss",
                f"{scored}: validation loss",
                f"{scored}: validation score",
            ]
        )

    def test_subplots_have_score_axes_of_their_own(self, stopped, pyplot):
        _, subplots = pyplot.subplots(1, 2, sharex=True)
        first, second = (
            LossCurveDisplay.from_estimator(model, ax=ax) for model, ax in zip(stopped, subplots, strict=True)
        )
        assert first.score_ax_ is not second.score_ax_
        for display, model in zip((first, second), stopped, strict=True):
            assert display.score_line_.axes is display.score_ax_
            assert display.score_ax_.get_position().bounds == display.ax_.get_position().bounds
            assert len(legend_of(display)) == 3
            assert_shows(display.score_line_, model.validation_scores_)


class TestNames:
    def test_are_in_the_legend(self):
        assert legend_of(LossCurveDisplay.from_estimator(fitted(), name="net")) == ["net: training loss"]

    def test_may_be_given_to_plot(self):
        display = LossCurveDisplay.from_estimator(fitted(), name="net")
        assert legend_of(display.plot(name="other")) == ["other: training loss"]
        assert legend_of(display.plot()) == ["net: training loss"]

    @pytest.mark.parametrize("name", ["net", "(128, 64) tanh, learning rate 0.001"])
    def test_the_legend_is_whole_and_hides_nothing(self, name, stopped):
        display = LossCurveDisplay.from_estimator(stopped[0], name=f"{name}, small")
        display = LossCurveDisplay.from_estimator(stopped[1], name=f"{name}, large", ax=display.ax_)
        display.figure_.draw_without_rendering()
        legend, figure = display.ax_.get_legend().get_window_extent(), display.figure_.bbox
        assert figure.x0 <= legend.x0 < legend.x1 <= figure.x1
        assert figure.y0 <= legend.y0
        assert legend.y1 <= display.ax_.xaxis.label.get_window_extent().y0
        assert display.ax_.bbox.width > figure.width / 2

    def test_in_a_grid_the_legend_keeps_to_its_own_column(self, stopped, pyplot):
        figure, axes = pyplot.subplots(2, 3, figsize=(12, 7), layout="constrained")
        for model, ax in zip(stopped, axes[0], strict=False):
            LossCurveDisplay.from_estimator(model, ax=ax)
        figure.draw_without_rendering()
        for ax in axes[0, :2]:
            assert ax.get_legend().get_window_extent().width < figure.bbox.width / 3


@pytest.mark.usefixtures("numpy_engine")
def test_training_interrupted_in_the_first_epoch_has_no_losses_to_show(monkeypatch):
    def press_ctrl_c(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(BinaryLogLoss, "value_and_gradient", press_ctrl_c)
    for early_stopping in (False, True):
        with pytest.warns(UserWarning, match="interrupted"):
            model = fitted(early_stopping=early_stopping)
        assert_shows(LossCurveDisplay.from_estimator(model).line_, [])


def test_numbers_of_ones_own():
    display = LossCurveDisplay(
        loss_curve=[3.0, 2.0, 1.0], validation_scores=[0.5, 0.75, 0.25], best_iter=2, name="mine"
    ).plot()
    assert_shows(display.line_, [3.0, 2.0, 1.0])
    assert display.validation_line_ is None
    assert legend_of(display) == ["mine: training loss", "mine: validation score, best 0.75 in epoch 2"]


@pytest.mark.parametrize("refit", [False, True])
def test_networks_for_tables(refit):
    model = ScratchRealMLPClassifier(hidden_layer_sizes=8, max_iter=4, refit=refit, random_state=0).fit(X, y)
    display = LossCurveDisplay.from_estimator(make_pipeline("passthrough", model))
    assert_shows(display.line_, model.loss_curve_)
    assert_shows(display.validation_line_, model.validation_loss_curve_)
    assert_shows(display.score_line_, model.validation_scores_)
    assert display.best_iter == model.best_iter_
