"""The code that the page shows gives the model that the page shows."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import SCHEDULES
from sknn_scratch.playground.code import code, weights, why_no_code
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.features import FEATURES
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import Settings

pytestmark = pytest.mark.usefixtures("numpy_engine")


def run(text):
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        exec(compile(text, "the code shown", "exec"), namespace)
    return namespace


def assert_same_model(session, namespace):
    """Both predict the same, bit by bit, for the points of the page."""
    model = namespace["model"]
    ask = "predict_proba" if session.has_classes else "predict"
    expected = getattr(session.fitted(), ask)(session.train.batch.X)
    np.testing.assert_array_equal(getattr(model, ask)(session.train.points), expected)
    if session.test is not None:
        np.testing.assert_array_equal(namespace["X_test"], session.test.points)


CHANGES = [
    *({"dataset": name} for name in DATASETS),
    *({"learning_rate": name, "solver": "sgd"} for name in SCHEDULES),
    {"learning_rate": "adaptive"},
    {"features": tuple(FEATURES)},
    {"features": ("x2",)},
    {"features": ("x2", "x1")},
    {"activation": ("relu", "mish")},
    {"hidden_layer_sizes": ()},
    {"test_size": 0.0, "batch_size": 1000},
    {"dropout": 0.2, "alpha": 0.1},
    {"weight_init": "orthogonal", "fit_intercept": False, "shuffle": False},
    {"dataset": "hill", "loss": "quantile"},
    {"random_state": 7, "noise": 0.2, "n_rows": 123},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: "-".join(map(str, change.values())))
def test_the_code_gives_the_model(change):
    session = Session(Settings().changed(**change))
    session.train_epochs(3)
    session.train_step()
    session.train_epochs(int(session.is_within_epoch))  # the rest of that epoch
    assert session.n_epochs == 4
    assert_same_model(session, run(code(session)))


@pytest.mark.parametrize("name", PRESETS)
def test_the_code_of_a_preset_gives_its_model(name):
    session = Session(PRESETS[name])
    session.train_epochs(5)
    assert_same_model(session, run(code(session)))


def test_after_all_epochs_the_schedule_is_named():
    session = Session(Settings().changed(learning_rate="cosine", max_iter=4))
    session.train_epochs(4)
    assert 'learning_rate="cosine"' in code(session)
    assert_same_model(session, run(code(session)))


@pytest.mark.parametrize("n_columns", [1, 2])
@pytest.mark.parametrize("has_classes", [True, False])
def test_the_code_reads_points_of_ones_own(n_columns, has_classes, tmp_path, monkeypatch):
    rng = np.random.RandomState(0)
    y = np.arange(40) % 3 if has_classes else rng.normal(size=40)
    session = Session()
    session.use(Points.of(rng.normal(size=(40, n_columns)), y))
    session.train_epochs(3)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points.csv").write_text(session.points.to_csv())
    assert_same_model(session, run(code(session)))


def test_there_is_no_code_where_no_call_of_fit_ends_there():
    session = Session()
    assert why_no_code(session) == "Nothing is trained yet."
    session.train_step()
    assert "epoch is not whole" in why_no_code(session)
    session.train_epochs(1)
    assert why_no_code(session) == ""
    session.change(alpha=1.0)
    assert "Settings have changed" in why_no_code(session)
    with pytest.raises(ValueError, match="Settings have changed"):
        code(session)
    session.reset()
    session.train_epochs(1)
    assert_same_model(session, run(code(session)))


def test_there_is_no_code_of_a_training_that_diverged():
    session = Session(Settings().changed(dataset="plane", solver="sgd", learning_rate_init=1e200))
    session.train_epochs(5)
    assert "diverged" in why_no_code(session)


def test_weights_are_saved_where_there_is_no_code(tmp_path):
    session = Session()
    session.train_step()
    (tmp_path / "weights.npz").write_bytes(weights(session))
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as file:
        assert file["features"].tolist() == ["x1", "x2"]
        for i, layer in enumerate(session.dense):
            np.testing.assert_array_equal(file[f"coefs_{i}"], layer["weights"])
            np.testing.assert_array_equal(file[f"intercepts_{i}"], layer["bias"])
