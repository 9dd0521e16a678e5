"""time_limit: a fit ends in time, and its schedules with it. A clock that the test moves tells the time."""

import numpy as np
import pytest
from helpers.families import TABLES
from helpers.stop_after import StopAfter
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.callbacks import Checkpoint
from sknn_scratch.tabular import _time_limit

each_kind = pytest.mark.parametrize("kind", TABLES)


class Clock:
    """A callback that lets an epoch take as many seconds as it says, epochs counted from 0."""

    def __init__(self, seconds=lambda epoch: 1.0):
        self.now, self.n_epochs, self.seconds = 0.0, 0, seconds

    def __call__(self):
        return self.now

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.now += self.seconds(self.n_epochs)
            self.n_epochs += 1

    def teardown(self, estimator, context):
        pass


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_time_limit, "monotonic", clock)
    return clock


def fitted(kind, clock, table, targets, callbacks=(), **params):
    y = targets["classifier" if kind is ScratchRealMLPClassifier else "regressor"]
    return kind(random_state=0, **params).set_callbacks(clock, *callbacks).fit(table[0], y)


def raw_scores(model, X):
    return model._raw_scores(X)[1]


@pytest.fixture
def many(small):
    """Epochs enough for a limit to count."""
    return small | {"max_iter": 64, "hidden_layer_sizes": (4,), "batch_size": 100}


@each_kind
@pytest.mark.parametrize("n_members", [{}, {"n_ens": 2}, {"n_cv": 2}])
def test_as_many_epochs_as_fit_are_run(kind, n_members, clock, table, targets, many):
    model = fitted(kind, clock, table, targets, **many | n_members, time_limit=20.5)
    assert model.n_iter_ == 20
    assert clock.now <= 20.5
    assert model.best_validation_score_ == max(model.validation_scores_)


@each_kind
def test_the_schedule_ends_with_the_last_epoch_that_fits(kind, clock, table, targets, many):
    """From the second epoch on, all is as with so many epochs as the maximum."""
    short = fitted(kind, clock, table, targets, **many | {"max_iter": 20})
    limited = fitted(kind, clock, table, targets, **many, time_limit=20.5)
    rates = [[row["learning_rate"] for row in model.history_] for model in (short, limited)]
    np.testing.assert_allclose(rates[0][1:], rates[1][1:], rtol=1e-12)
    assert rates[0][0] != rates[1][0]


@each_kind
@pytest.mark.parametrize("params", [{}, {"refit": True}, {"n_ens": 2}, {"early_stopping": True}])
def test_a_limit_that_is_not_reached_changes_nothing(kind, params, clock, table, targets, small):
    expected = fitted(kind, clock, table, targets, **small | params)
    model = fitted(kind, clock, table, targets, **small | params, time_limit=100.0)
    np.testing.assert_array_equal(raw_scores(model, table[0]), raw_scores(expected, table[0]))
    assert model.n_iter_ == expected.n_iter_


@each_kind
@pytest.mark.parametrize(
    ("n_members", "n_first", "on_all_rows"),
    [({}, 26, 1.25), ({"n_ens": 2}, 26, 1.25), ({"n_cv": 3}, 40, 0.5)],  # in turns, at the same speed per row
)
def test_refit_gets_its_share(kind, n_members, n_first, on_all_rows, clock, table, targets, many):
    """As many epochs on all rows as the best one has, and the time of all that may be is kept."""
    clock.seconds = lambda epoch: 1.0 if epoch < n_first else on_all_rows
    model = fitted(kind, clock, table, targets, **many | n_members, refit=True, n_jobs=1, time_limit=60.0)
    assert clock.now <= 60.0
    assert len(model._folds) == 1 + n_members.get("n_cv", 1)
    assert model.n_iter_ == n_first + model.best_iter_
    assert np.isnan(model.validation_scores_[n_first:]).all()
    assert not np.isnan(model.validation_scores_[:n_first]).any()


@each_kind
def test_refit_is_compressed_where_the_machine_becomes_slower(kind, clock, table, targets, many):
    """The course of the schedule up to the best epoch is kept, in fewer epochs."""
    clock.seconds = lambda epoch: 1.0 if epoch < 30 else 3.0
    many |= {"learning_rate": "cosine", "scoring": lambda model, X, y: clock.n_epochs}  # the last one is best
    model = fitted(kind, clock, table, targets, **many, refit=True, time_limit=70.0)
    n_first = model.best_iter_
    assert n_first == 31
    assert clock.now <= 70.0
    assert 5 < model.n_iter_ - n_first < n_first
    rates = [row["learning_rate"] for row in model.history_]
    assert rates[-1] == pytest.approx(0.0, abs=0.01 * max(rates))
    assert len(model._folds) == 2


@each_kind
def test_slower_epochs_are_fewer(kind, clock, table, targets, many):
    clock.seconds = lambda epoch: 1.0 if epoch < 10 else 2.0
    model = fitted(kind, clock, table, targets, **many, time_limit=40.0)
    assert clock.now <= 40.0
    assert 23 <= model.n_iter_ <= 25


@each_kind
def test_an_epoch_that_compiles_does_not_count_for_the_others(kind, clock, table, targets, many):
    clock.seconds = lambda epoch: 20.0 if epoch == 0 else 1.0
    model = fitted(kind, clock, table, targets, **many, time_limit=60.0)
    assert model.n_iter_ == 41


@each_kind
def test_little_time_is_told(kind, clock, table, targets, many):
    with pytest.warns(
        ConvergenceWarning, match=r"time_limit=3\.5 left time for 3 of max_iter=64 epochs.*worse"
    ):
        model = fitted(kind, clock, table, targets, **many, time_limit=3.5)
    assert model.n_iter_ == 3
    with pytest.warns(ConvergenceWarning, match=r"time_limit=0\.1 left time for 1 of max_iter=64"):
        model = fitted(kind, clock, table, targets, **many, time_limit=0.1)
    assert model.n_iter_ == model.best_iter_ == 1


@each_kind
def test_no_time_for_refit_is_told(kind, clock, table, targets, many):
    clock.seconds = lambda epoch: 1.0 if epoch < 15 else 20.0
    with pytest.warns(ConvergenceWarning, match=r"time_limit=37 left time for 16 of .*none for refit=True"):
        model = fitted(kind, clock, table, targets, **many, refit=True, time_limit=37.0)
    assert len(model._folds) == 1


@each_kind
def test_a_callback_that_stops_is_no_lack_of_time(kind, clock, table, targets, many):
    model = fitted(kind, clock, table, targets, [StopAfter(5)], **many, refit=True, time_limit=50.0)
    assert model.n_iter_ == 5
    assert len(model._folds) == 1


@each_kind
def test_checkpoints_cannot_keep_a_limit(kind, clock, table, targets, small, tmp_path):
    with pytest.raises(ValueError, match="cannot save time_limit=5"):
        fitted(kind, clock, table, targets, [Checkpoint(tmp_path / "c.npz")], **small, time_limit=5)


@pytest.mark.parametrize("value", [0, -1.0, "1h"])
def test_what_is_no_number_of_seconds_is_refused(value, table, small):
    with pytest.raises(ValueError, match="time_limit"):
        ScratchRealMLPRegressor(**small, time_limit=value).fit(*table)
