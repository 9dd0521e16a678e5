"""Trainings that diverge, and scores that cannot be computed, in both families."""

import numpy as np
import pytest
from helpers.stop_after import StopAfter
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.callbacks import Checkpoint, EpochLogger
from sknn_scratch.core import Network, SquaredError

max_iter_is_reached = pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:lbfgs failed")

X = np.random.RandomState(0).normal(size=(120, 3))
Y = X[:, 0] + 0.1 * np.random.RandomState(1).normal(size=120)
LABELS = (Y > 0).astype(int)
SENTENCE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)

TABULAR = {"hidden_layer_sizes": (8, 8), "max_iter": 12, "batch_size": 32, "n_cv": 1, "random_state": 0}
PLAIN = {"hidden_layer_sizes": (8,), "max_iter": 40, "learning_rate_init": 0.02, "random_state": 0}
REGRESSORS = {
    **{
        solver: ScratchMLPRegressor(**PLAIN, solver=solver, early_stopping=True)
        for solver in ("adam", "sgd", "lbfgs")
    },
    "realmlp": ScratchRealMLPRegressor(**TABULAR),
    "members": ScratchRealMLPRegressor(**TABULAR, n_ens=3, n_jobs=2),
    "folds": ScratchRealMLPRegressor(**TABULAR | {"n_cv": 2}),
    "refit": ScratchRealMLPRegressor(**TABULAR, refit=True),
}
each_regressor = pytest.mark.parametrize("name", REGRESSORS)


class SpoiltSquaredError(SquaredError):
    """The squared error, which is nan for good as soon as it is small."""

    limit, is_spoilt = 0.2, False

    def value_and_gradient(self, raw, y, weight, out, per_row):
        value = super().value_and_gradient(raw, y, weight, out, per_row)
        self.is_spoilt |= value < self.limit
        if not self.is_spoilt:
            return value
        out.fill(np.nan)
        return np.nan


class SpoiltInTrainingSquaredError(SpoiltSquaredError):
    """Only the loss of training is nan: the rows held out are fewer than those of a batch."""

    limit = 0.12

    def value_and_gradient(self, raw, y, weight, out, per_row):
        if len(y) > 24 or self.is_spoilt:
            return super().value_and_gradient(raw, y, weight, out, per_row)
        return SquaredError.value_and_gradient(self, raw, y, weight, out, per_row)


class NaNSquaredError(SpoiltSquaredError):
    limit = np.inf


def messages_of(fit, category):
    """What a fit warns of in a category, at this line of this file."""
    with pytest.warns(category) as caught:
        fit()
    found = [warning for warning in caught if warning.category is category]
    assert {warning.filename for warning in found} == {__file__}
    return [str(warning.message) for warning in found]


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        *((name, SpoiltSquaredError()) for name in REGRESSORS),
        # a fold holds out more rows than a batch has
        *((name, SpoiltInTrainingSquaredError()) for name in REGRESSORS if name != "folds"),
    ],
)
@pytest.mark.usefixtures("numpy_engine")
def test_where_training_diverges_the_best_epoch_is_kept(name, loss):
    model = clone(REGRESSORS[name]).set_params(loss=loss)
    (message,) = messages_of(lambda: model.fit(X, Y), ConvergenceWarning)
    n_epochs, best = model.n_iter_, model.best_iter_
    assert 1 <= best < n_epochs < 40
    assert f"diverged at epoch {n_epochs}" in message
    assert f"the best epoch, {best}" in message
    assert "smaller learning_rate_init" in message
    for curve in (model.loss_curve_, model.validation_loss_curve_, model.validation_scores_):
        assert len(curve) == len(model.history_) == n_epochs
        assert np.isfinite(curve).tolist() == [True] * (n_epochs - 1) + [False]
        assert isinstance(curve[-1], float)
    assert np.isnan(model.validation_scores_[-1])
    assert model.best_validation_score_ == max(model.validation_scores_[:-1])
    until_then = clone(model).set_params(loss="squared_error").set_callbacks(StopAfter(best)).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), until_then.predict(X))


@each_regressor
def test_where_no_epoch_is_finite_it_is_an_error_and_the_model_is_as_before(name):
    model = clone(REGRESSORS[name]).set_params(max_iter=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)
        before = model.fit(X, Y).predict(X)
    model.set_params(loss=NaNSquaredError())
    with pytest.raises(
        ValueError, match="Training diverged at epoch 1: .*smaller learning_rate_init"
    ) as error:
        model.fit(X, Y)
    assert SENTENCE in str(error.value)
    np.testing.assert_array_equal(model.set_params(loss="squared_error").predict(X), before)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("given", [{}, {"X_val": X[:20], "y_val": Y[:20]}], ids=["none", "not watched"])
def test_where_nothing_is_watched_divergence_is_an_error(solver, given):
    model = ScratchMLPRegressor(**PLAIN, solver=solver, loss=SpoiltSquaredError())
    with pytest.raises(ValueError, match="Training diverged") as error:
        model.fit(X, Y, **given)
    assert SENTENCE in str(error.value)


@max_iter_is_reached
@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw"])
def test_training_goes_on_from_the_best_epoch_of_one_that_diverged(solver):
    model = ScratchMLPRegressor(**PLAIN, solver=solver, early_stopping=True, loss=SpoiltSquaredError())
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Y)
    n_epochs = model.n_iter_
    model.set_params(loss="squared_error", early_stopping=False)
    coefs = model.coefs_[0].copy()
    model.partial_fit(X, Y)
    assert not np.array_equal(model.coefs_[0], coefs)
    assert np.isfinite(model.loss_)
    assert len(model.loss_curve_) == n_epochs + 1


@max_iter_is_reached
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_warm_start_goes_on_from_the_best_epoch_of_one_that_diverged(solver):
    loss = SpoiltSquaredError()
    model = ScratchMLPRegressor(**PLAIN, solver=solver, early_stopping=True, warm_start=True, loss=loss)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Y)
    n_epochs, best = model.n_iter_, model.best_validation_score_
    loss.limit = 0.0
    model.fit(X, Y)
    assert len(model.validation_scores_) == n_epochs + model.n_iter_
    assert model.best_iter_ > n_epochs or model.best_validation_score_ == best
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("name", ["adam", "realmlp", "members", "folds"])
def test_a_checkpoint_of_a_training_that_diverged_leads_to_the_same_end(name, tmp_path):
    models = []
    for callbacks in ([], [Checkpoint(tmp_path / "fit")], [Checkpoint(tmp_path / "fit", resume=True)]):
        model = clone(REGRESSORS[name]).set_params(loss=SpoiltSquaredError()).set_callbacks(*callbacks)
        with pytest.warns(ConvergenceWarning, match="diverged"):
            models.append(model.fit(X, Y))
    for model in models[1:]:
        assert model.n_iter_ == models[0].n_iter_ > 1
        assert repr(model.validation_scores_) == repr(models[0].validation_scores_)
        np.testing.assert_array_equal(model.predict(X), models[0].predict(X))


@pytest.mark.parametrize("name", ["adam", "lbfgs", "realmlp"])
def test_callbacks_are_told_of_the_epochs_before_and_of_the_end(name, capsys):
    model = clone(REGRESSORS[name]).set_params(loss=SpoiltSquaredError()).set_callbacks(EpochLogger(2))
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(X, Y)
    printed = [int(line.split()[1].rstrip(",")) for line in capsys.readouterr().out.splitlines()]
    assert printed == sorted({*range(2, model.n_iter_, 2), *([model.n_iter_] if model.n_iter_ % 2 else [])})


UNDEFINED = [
    (ScratchMLPClassifier, {"scoring": "roc_auc"}, LABELS == 1, ["adam", "lbfgs"]),
    (ScratchMLPClassifier, {"scoring": "neg_log_loss"}, LABELS == 1, ["adam"]),
    (ScratchMLPRegressor, {}, np.arange(120) == 5, ["adam", "sgd", "lbfgs"]),
    (ScratchMLPRegressor, {"scoring": "r2"}, np.arange(120) == 5, ["adam"]),
]
each_undefined = pytest.mark.parametrize(
    ("kind", "settings", "rows", "solver"),
    [(kind, settings, rows, solver) for kind, settings, rows, solvers in UNDEFINED for solver in solvers],
)


def targets_of(kind):
    return LABELS if kind in (ScratchMLPClassifier, ScratchRealMLPClassifier) else Y


@max_iter_is_reached
@each_undefined
def test_an_undefined_score_that_is_not_watched_is_recorded_as_nan(kind, settings, rows, solver):
    y = targets_of(kind)
    given = {"X_val": X[rows], "y_val": y[rows]}
    model = kind(**PLAIN, **settings, solver=solver)
    (message,) = messages_of(lambda: model.fit(X, y, **given), UndefinedMetricWarning)
    assert f"scoring={settings.get('scoring')!r}" in message
    assert len(model.validation_scores_) == model.n_iter_ > 1
    assert np.isnan(model.validation_scores_).all()
    assert np.isfinite(model.validation_loss_curve_).all()
    np.testing.assert_array_equal(model.predict(X), clone(model).fit(X, y).predict(X))


@each_undefined
def test_an_undefined_score_that_is_watched_is_an_error(kind, settings, rows, solver):
    y = targets_of(kind)
    model = kind(**PLAIN, **settings, solver=solver, early_stopping=True)
    with pytest.raises(
        ValueError, match=rf"scoring={settings.get('scoring')!r}.* undefined .*Hold out more"
    ) as e:
        model.fit(X, y, X_val=X[rows], y_val=y[rows])
    assert "diverged" not in str(e.value)


def roc_auc_of_one_class(model, X, y, sample_weight=None):
    return np.nan


@pytest.mark.parametrize("members", [{}, {"n_ens": 2}, {"n_cv": 2}])
@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_tables_always_watch_the_score(kind, members):
    model = kind(**TABULAR | members, scoring=roc_auc_of_one_class)
    with pytest.raises(ValueError, match=r"scoring=<function roc_auc.* undefined .*Hold out more") as error:
        model.fit(X, targets_of(kind))
    assert "diverged" not in str(error.value)


def test_r2_of_one_row_of_a_table():
    model = ScratchRealMLPRegressor(**TABULAR, scoring="r2")
    with pytest.raises(ValueError, match=r"scoring='r2'.* undefined .*Hold out more"):
        model.fit(X, Y, X_val=X[:1], y_val=Y[:1])


class TurnsUndefined:
    """A score that is defined for three epochs."""

    n_asked = 0

    def __call__(self, model, X, y):
        self.n_asked += 1
        return float(self.n_asked) if self.n_asked <= 3 else np.nan


@pytest.mark.parametrize("name", ["adam", "lbfgs", "realmlp", "members"])
def test_a_score_that_becomes_undefined_ends_training_with_the_best_epoch(name):
    model = clone(REGRESSORS[name]).set_params(scoring=TurnsUndefined())
    (message,) = messages_of(lambda: model.fit(X, Y), ConvergenceWarning)
    assert "score is not finite at epoch 4" in message
    assert "the best epoch, 3" in message
    assert (model.n_iter_, model.best_iter_) == (4, 3)
    assert repr(model.validation_scores_) == "[1.0, 2.0, 3.0, nan]"
    assert np.isfinite(model.predict(X)).all()


@max_iter_is_reached
def test_nan_scores_come_back_from_a_checkpoint(tmp_path, capsys):
    models = []
    for callbacks in (
        [],
        [StopAfter(3), Checkpoint(tmp_path / "fit")],
        [Checkpoint(tmp_path / "fit", resume=True)],
    ):
        model = ScratchMLPRegressor(**PLAIN, n_iter_no_change=99, verbose=True).set_callbacks(*callbacks)
        with pytest.warns(UndefinedMetricWarning):
            models.append(model.fit(X, Y, X_val=X[:1], y_val=Y[:1]))
    through, _, resumed = models
    assert repr(resumed.validation_scores_) == repr(through.validation_scores_) == repr([np.nan] * 40)
    assert resumed.loss_curve_ == through.loss_curve_
    assert capsys.readouterr().out.count("/nan, ") == 40 + 3 + 37


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_patience_goes_on_over_partial_fit_whatever_scoring_says(solver):
    model = ScratchMLPRegressor(**PLAIN, solver=solver)
    losses = []
    for scoring in ("r2", "loss", None):
        model.set_params(scoring=scoring).partial_fit(X, 2 * Y if losses else Y)  # the first is the best
        losses.append(model.loss_)
    assert losses[0] < min(losses[1:])
    assert model.best_loss_ == losses[0]
    assert model._training.patience.n_stagnant == 2


@max_iter_is_reached
def test_scores_of_another_scoring_are_not_compared_over_a_warm_start():
    model = ScratchMLPRegressor(**PLAIN | {"max_iter": 3}, early_stopping=True, warm_start=True).fit(X, Y)
    best_r2 = model.best_validation_score_
    model.set_params(scoring="neg_mean_squared_error").fit(X, Y)
    assert model.best_validation_score_ == max(model.validation_scores_[3:]) != best_r2


@pytest.mark.parametrize("early_stopping", [False, True])
def test_averages_that_overflow_are_divergence_though_loss_and_weights_are_finite(early_stopping):
    settings = {"solver": "adam", "early_stopping": early_stopping, "activation": "identity"}
    model = ScratchMLPRegressor(**PLAIN | {"max_iter": 1} | settings)
    if early_stopping:
        with pytest.warns(ConvergenceWarning, match="diverged at epoch 1.*the best epoch, 1"):
            model.fit(1e70 * X, 1e100 * Y)
        assert np.isfinite(model.coefs_[0]).all()
        model.set_params(early_stopping=False).partial_fit(X, Y)
        assert np.isfinite(model._training.optimizer_state.averages["v"]).all()
    else:
        for given in ({}, {"X_val": X[:1], "y_val": Y[:1]}):  # R2 of one row is not the reason
            with pytest.raises(ValueError, match="diverged at epoch 1"):
                model.fit(1e70 * X, 1e100 * Y, **given)


@max_iter_is_reached
@pytest.mark.filterwarnings("ignore:X_val lies far outside")
@pytest.mark.parametrize(
    ("huge", "is_watched"), [(1e300, True), (1e300, False), (1e160, True), (1e160, False)]
)
def test_validation_rows_out_of_range(huge, is_watched):
    """Raw scores that are infinite, or a loss that is, with weights and training loss that are finite."""
    model = ScratchMLPRegressor(
        **PLAIN | {"max_iter": 3, "activation": "identity"}, early_stopping=is_watched
    )
    given = {"X_val": huge * X[:5], "y_val": Y[:5]}
    if is_watched:
        with pytest.raises(ValueError, match="diverged at epoch 1"):
            model.fit(X, Y, **given)
    else:
        model.fit(X, Y, **given)
        assert np.isnan([model.validation_loss_curve_, model.validation_scores_]).all()
        np.testing.assert_array_equal(model.coefs_[0], clone(model).fit(X, Y).coefs_[0])


@max_iter_is_reached
def test_infinite_raw_scores_are_no_validation_though_their_loss_is_finite(monkeypatch):
    """Probabilities of 1 have a squared error that is finite."""
    monkeypatch.setattr(Network, "raw_scores", lambda self, X, *args: np.full((len(X), 1), np.inf))
    model = ScratchMLPClassifier(**PLAIN | {"max_iter": 3}, loss="squared_error")
    model.fit(X, LABELS, X_val=X[:5], y_val=LABELS[:5])
    assert np.isnan([model.validation_loss_curve_, model.validation_scores_]).all()


def test_infinite_raw_scores_of_a_table_are_divergence_though_their_loss_is_finite(monkeypatch):
    """The logarithms of standard deviations are clipped."""
    monkeypatch.setattr(Network, "raw_scores", lambda self, X, *args: np.tile([0.0, np.inf], (len(X), 1)))
    with pytest.raises(ValueError, match="diverged at epoch 1"):
        ScratchRealMLPRegressor(**TABULAR, loss="gaussian_nll").fit(X, Y)


def test_a_batch_larger_than_the_data_is_told_of_on_the_first_call_of_partial_fit_only():
    model = ScratchMLPRegressor(**PLAIN, batch_size=200)
    (message,) = messages_of(lambda: model.partial_fit(X, Y), UserWarning)
    assert "batch_size=200, larger than the sample size 120" in message
    model.partial_fit(X, Y)  # a warning would be an error
    with pytest.warns(UserWarning, match="batch_size=200, larger than the sample size 108"):
        clone(model).set_params(early_stopping=True, n_iter_no_change=1, tol=10.0).fit(X, Y)
    clone(model).set_params(batch_size=120, tol=10.0, n_iter_no_change=1).fit(X, Y)
