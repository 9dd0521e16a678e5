"""A network in training, steered as the page steers it."""

import numpy as np
import pytest

from sknn_scratch.core import ACTIVATIONS, OPTIMIZERS, SCHEDULES, Outcome
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import MAX_SNAPSHOTS, Session
from sknn_scratch.playground.settings import Settings, losses

POINTS = Points.of(np.random.RandomState(0).normal(size=(30, 2)), [0, 1, 1] * 10)


def changed(**settings):
    return Session(Settings().changed(**settings))


def test_circles_are_learnt():
    session = Session()
    assert session.measured().test_score < 0.8
    session.train_epochs(100)
    assert session.measured().test_score > 0.95


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_loss_falls_on_every_data_set(dataset):
    session = changed(dataset=dataset, batch_size=4, learning_rate_init=0.03)
    before = session.measured()
    session.train_epochs(30)
    after = session.measured()
    assert after.train_loss < 0.8 * before.train_loss
    assert session.has_classes == DATASETS[dataset].has_classes
    if session.test is not None:
        assert after.test_loss < before.test_loss


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        *(("activation", (name, name)) for name in ACTIVATIONS),
        *(("solver", name) for name in OPTIMIZERS),
        *(("learning_rate", name) for name in SCHEDULES),
        *(("loss", name) for name in losses(has_classes=True)),
    ],
)
def test_every_name_of_the_registries_trains(setting, name):
    session = changed(**{setting: name})
    session.train_epochs(3)
    assert session.n_epochs == 3
    assert session.ending == ""


@pytest.mark.parametrize("loss", losses(has_classes=False))
def test_every_loss_of_numbers_trains_or_says_why_not(loss):
    session = changed(dataset="hill", noise=0.0)
    session.change(loss=loss)
    session.train_epochs(3)
    assert session.settings.loss == loss
    assert session.ending == ""


def test_a_step_is_a_batch_and_an_epoch_is_all_of_them():
    session = Session()
    n_batches = session.run.batches.n_batches
    for step in range(1, n_batches):
        session.train_step()
        assert (session.n_steps, session.n_epochs, session.is_within_epoch) == (step, 0, True)
        assert session.measured().epoch == pytest.approx(step / n_batches)
    session.train_step()
    assert (session.n_steps, session.n_epochs, session.is_within_epoch) == (n_batches, 1, False)
    session.train_step()
    session.train_epochs(1)
    assert (session.n_steps, session.n_epochs, session.is_within_epoch) == (2 * n_batches, 2, False)


def test_steps_lead_to_the_same_model_as_epochs():
    stepped, straight = changed(dropout=0.3, alpha=0.1), changed(dropout=0.3, alpha=0.1)
    straight.train_epochs(2)
    while stepped.n_epochs < 2:
        stepped.train_step()
    np.testing.assert_array_equal(stepped.parameters.flat, straight.parameters.flat)


def test_training_pauses_when_its_time_is_over():
    session = Session()
    session.train_epochs(1000, seconds=0.0)
    assert session.n_steps == 1
    one_batch = changed(batch_size=5000)
    one_batch.train_epochs(1000, seconds=0.0)
    assert one_batch.n_epochs == 1


def test_training_ends_after_the_last_epoch_and_goes_on_when_there_are_more():
    session = changed(max_iter=3)
    session.train_epochs(5)
    assert session.n_epochs == 3
    assert session.ending == "All 3 epochs are done. Raise their number to go on."
    session.train_step()
    assert session.n_epochs == 3
    session.change(max_iter=4)
    assert session.ending == ""
    session.train_epochs(5)
    assert session.n_epochs == 4


def test_divergence_is_said_and_reset_mends_it():
    session = changed(dataset="plane", solver="sgd", activation=("relu", "relu"), learning_rate_init=50.0)
    session.train_epochs(20)
    assert session.outcome is Outcome.DIVERGED
    assert "smaller learning rate" in session.ending
    assert np.isnan(session.measured().train_loss)
    session.change(learning_rate_init=0.01)
    assert session.outcome is Outcome.DIVERGED
    session.reset()
    session.train_epochs(20)
    assert session.ending == ""
    assert np.isfinite(session.measured().train_loss)


@pytest.mark.parametrize("learning_rate", ["adaptive", "plateau"])
def test_schedules_that_wait_for_a_plateau_end_training(learning_rate):
    session = changed(dataset="plane", noise=0.0, solver="sgd", learning_rate=learning_rate, max_iter=5000)
    session.train_epochs(5000)
    assert session.outcome is Outcome.CONVERGED
    assert session.ending.startswith("Training has converged")


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": "exponential"},
        {"learning_rate_init": 0.5},
        {"alpha": 3.0},
        {"dropout": 0.5},
        {"max_iter": 50},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_rate_or_penalty_goes_on(change):
    session, unchanged = Session(), Session()
    for one in (session, unchanged):
        one.train_epochs(2)
        one.train_step()
    weights = session.parameters.flat.copy()
    session.change(**change)
    assert session.n_steps == unchanged.n_steps
    assert session.changed_on_the_way
    np.testing.assert_array_equal(session.parameters.flat, weights)
    session.train_epochs(2)
    unchanged.train_epochs(2)
    differs = not np.array_equal(session.parameters.flat, unchanged.parameters.flat)
    assert differs == ("max_iter" not in change)
    assert session.n_epochs == unchanged.n_epochs == 4
    session.reset()
    assert not session.changed_on_the_way
    assert session.n_steps == 0


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "moons"},
        {"noise": 0.2},
        {"n_rows": 100},
        {"test_size": 0.5},
        {"random_state": 1},
        {"features": ("x1", "x2", "product")},
        {"hidden_layer_sizes": (4, 4, 4)},
        {"activation": ("relu", "tanh")},
        {"solver": "sgd"},
        {"batch_size": 20},
        {"loss": "squared_error"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_data_or_network_starts_anew(change):
    session = Session()
    session.train_epochs(2)
    session.change(**change)
    assert session.n_steps == 0
    assert not session.changed_on_the_way
    fresh = changed(**change)
    np.testing.assert_array_equal(session.parameters.flat, fresh.parameters.flat)
    np.testing.assert_array_equal(session.train.points, fresh.train.points)


def test_a_change_before_the_first_step_starts_anew():
    session = Session()
    session.change(alpha=1.0)
    assert not session.changed_on_the_way


def test_the_same_value_changes_nothing():
    session = Session()
    session.train_epochs(1)
    session.change(noise=session.settings.noise)
    assert session.n_epochs == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"noise": 2.0}, "'noise' of Settings must be a number in"),
        ({"features": ()}, "at least one feature"),
        ({"hidden_layer_sizes": (0,)}, "1 to 100 units"),
        ({"solver": "newton"}, "solver must be one of sgd, adam"),
        ({"activation": ("tanh",)}, "2 hidden layers need as many activations, got 1"),
        ({"dataset": "own"}, "no points of your own yet"),
        ({"dataset": "sine", "loss": "poisson"}, "poisson"),
        ({"n_rows": 10, "test_size": 0.05}, "cannot be split"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_a_bad_value_is_refused_in_words_and_changes_nothing(change, words):
    session = Session()
    session.train_epochs(1)
    before = session.parameters.flat.copy()
    with pytest.raises(ValueError, match=words):
        session.change(**change)
    assert session.settings == Settings()
    assert session.n_epochs == 1
    np.testing.assert_array_equal(session.parameters.flat, before)


def test_the_loss_follows_the_data():
    session = changed(dataset="hill")
    assert session.settings.loss == "squared_error"
    session.change(loss="huber")
    session.change(dataset="moons")
    assert session.settings.loss == "log_loss"


def test_what_layers_compute_is_what_the_estimator_computes():
    session = changed(features=("x1", "x2", "x1_squared", "sin_x2"), hidden_layer_sizes=(3, 2))
    session.train_epochs(5)
    points = session.train.points[:20]
    features, first, second, predictions = session.activations(points)
    model = session.fitted()
    np.testing.assert_allclose(features[:, 2], points[:, 0] ** 2)
    for ours, theirs in zip((first, second), model.hidden_activations(features), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(predictions[:, 0], model.predict_proba(features)[:, 1])


def test_a_copy_of_the_model_does_not_go_on_training():
    session = Session()
    session.train_epochs(1)
    model = session.fitted()
    before = model.coefs_[0].copy()
    session.train_epochs(1)
    np.testing.assert_array_equal(model.coefs_[0], before)
    assert not np.array_equal(session.dense[0]["weights"], before)


def test_gradients_of_deep_sigmoids_vanish_towards_the_data():
    session = Session(PRESETS["deep sigmoids that don't learn"])
    session.train_epochs(20)
    norms = session.measured().gradient_norms
    assert len(norms) == 9
    assert norms[0] < 1e-3 * norms[-1]
    assert session.measured().train_score < 0.6


@pytest.mark.parametrize("name", [name for name in PRESETS if "don't" not in name])
def test_presets_learn(name):
    session = Session(PRESETS[name])
    session.train_epochs(600)
    assert session.measured().train_score > 0.9


def test_snapshots_are_few_and_in_even_distances():
    session = changed(n_rows=20, batch_size=20)
    for _ in range(5 * MAX_SNAPSHOTS):
        session.train_epochs(1)
    epochs = list(session.snapshots)
    assert len(epochs) <= MAX_SNAPSHOTS
    assert len(set(np.diff(epochs))) == 1
    assert all(model.n_iter_ == epoch for epoch, model in session.snapshots.items())


def test_points_of_ones_own_are_learnt_from():
    session = Session()
    session.use(POINTS)
    assert session.settings.dataset == "own"
    assert len(session.train.y) + len(session.test.y) == 30
    session.reset()
    session.change(dataset="moons")
    session.change(dataset="own")  # they are kept
    assert session.points is POINTS


def test_one_column_has_the_features_of_one_column():
    X = np.linspace(-2, 2, 60)[:, np.newaxis]
    session = Session()
    session.use(Points.of(X, np.sin(2 * X[:, 0])))
    assert session.settings.features == ("x1",)
    assert not session.has_classes
    session.train_epochs(200)
    assert session.measured().test_score > 0.9
