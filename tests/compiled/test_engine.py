"""Fits by compiled kernels: the same models as NumPy's, whatever is switched on."""

import threading
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale

pytest.importorskip("numba")

from helpers.stop_after import StopAfter

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.callbacks import Checkpoint
from sknn_scratch.compiled import engine as compiled_engine
from sknn_scratch.compiled import whole_epochs
from sknn_scratch.core import (
    ACTIVATIONS,
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Activation,
    Adam,
    Batches,
    History,
    LogLoss,
    Network,
    Optimizer,
    OptimizerState,
    Patience,
    Progress,
    ReLU,
    Schedule,
    Training,
    train_minibatch,
)
from sknn_scratch.core.epochs import NUMPY
from sknn_scratch.core.machine.threads import Team
from sknn_scratch.fitting import _engine
from sknn_scratch.fitting._names import losses_of_numbers

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("by_itself"),
]

X_CLASSES, CLASSES = scale(load_iris().data), load_iris().target
X_NUMBERS, NUMBERS = scale(load_diabetes().data), scale(load_diabetes().target)
WEIGHTS = np.random.RandomState(0).randint(0, 3, 442).astype(float)
SMALL = {"hidden_layer_sizes": (20,), "max_iter": 30, "random_state": 0}
FITS = {
    **{f"activation {name}": {"activation": name} for name in ACTIVATIONS},
    **{f"solver {name}": {"solver": name} for name in OPTIMIZERS},
    "solver lbfgs": {"solver": "lbfgs", "max_iter": 10},  # its searches multiply differences in last digits
    **{f"schedule {name}": {"learning_rate": name, "solver": "sgd"} for name in SCHEDULES},
    "plain momentum": {"solver": SGD(nesterovs_momentum=False)},
    "clipped": {"solver": Adam(max_grad_norm=0.05)},
    "no penalty": {"alpha": 0.0},
    "large penalty": {"alpha": 1.0},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "three layers": {"hidden_layer_sizes": (9, 7, 5), "activation": ["silu", "relu", "tanh"]},
    "no intercepts": {"fit_intercept": False},
    "one row a batch": {"batch_size": 1, "max_iter": 3},
    "one batch": {"batch_size": 150},
    "in order": {"shuffle": False},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 5},
    "dropout": {"dropout": 0.3},
    "dropout of some layers": {
        "hidden_layer_sizes": (9, 7, 5, 3),
        "activation": ["silu", "relu", "gelu", "tanh"],
        "dropout": [0.3, 0.0, 0.5, 0.2],
    },
    "dropout of a large network": {"hidden_layer_sizes": (900, 900), "max_iter": 2, "dropout": 0.3},
    "dropout, one row a batch": {"batch_size": 1, "max_iter": 3, "dropout": 0.3},
    "large": {"hidden_layer_sizes": (300, 300), "max_iter": 5},
}


@dataclass
class Sine(Activation):
    def forward(self, z, out):
        np.sin(z, out=out)

    def backward(self, z, a, delta):
        delta *= np.cos(z)


@dataclass
class Sign(Optimizer):
    def init(self, theta):
        return OptimizerState({})

    def _update(self, theta, gradient, state, learning_rate):
        theta -= learning_rate * np.sign(gradient)


@pytest.fixture
def by_itself(monkeypatch):
    """The engine as it is chosen without the environment's variable."""
    monkeypatch.delenv(_engine.VARIABLE, raising=False)


@pytest.fixture
def by_numpy(monkeypatch):
    """What fits a copy of a model with NumPy."""

    def fit(model, *args, **kwargs):
        with monkeypatch.context() as patched:
            patched.setenv(_engine.VARIABLE, "numpy")
            return clone(model).fit(*args, **kwargs)

    return fit


def assert_same_model(model, expected, tolerance=1e-9):
    arrays, expected_arrays = (m.coefs_ + m.intercepts_ for m in (model, expected))
    for ours, theirs in zip(arrays, expected_arrays, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, abs(theirs).max()))
    assert model.n_iter_ == expected.n_iter_
    rows, expected_rows = pd.DataFrame(model.history_), pd.DataFrame(expected.history_)
    columns = rows.columns.drop("seconds")
    pd.testing.assert_frame_equal(rows[columns], expected_rows[columns], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", FITS)
def test_thirty_epochs_of_classes_are_those_of_numpy(name, weighted, by_numpy):
    model = ScratchMLPClassifier(**{**SMALL, **FITS[name]})
    weights = WEIGHTS[: len(CLASSES)] if weighted else None
    expected = by_numpy(model, X_CLASSES, CLASSES, sample_weight=weights)
    model.fit(X_CLASSES, CLASSES, sample_weight=weights)
    assert_same_model(model, expected)
    np.testing.assert_allclose(model.predict_proba(X_CLASSES), expected.predict_proba(X_CLASSES), atol=1e-9)


LOSSES_OF_NUMBERS = list(losses_of_numbers())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("loss", LOSSES_OF_NUMBERS)
def test_thirty_epochs_of_numbers_are_those_of_numpy(loss, solver, by_numpy):
    y = np.exp(NUMBERS) if loss in ("poisson", "gamma") else NUMBERS
    n_epochs = 10 if solver == "lbfgs" else 30  # its searches multiply what differs in the last digits
    model = ScratchMLPRegressor(
        loss, hidden_layer_sizes=(20,), activation="tanh", solver=solver, max_iter=n_epochs, random_state=0
    )
    assert_same_model(model.fit(X_NUMBERS, y), by_numpy(model, X_NUMBERS, y))


@pytest.mark.parametrize("size", [(20,), (300, 300)])
def test_float32_differs_by_rounding_only(size, by_numpy):
    X = X_CLASSES.astype(np.float32)
    model = ScratchMLPClassifier(size, max_iter=10, random_state=0)
    assert_same_model(model.fit(X, CLASSES), by_numpy(model, X, CLASSES), 2e-5)
    assert model.coefs_[0].dtype == np.float32


def test_several_targets_and_labels(by_numpy):
    both = np.c_[NUMBERS, NUMBERS**2]
    model = ScratchMLPRegressor(hidden_layer_sizes=(20,), max_iter=20, random_state=0)
    assert_same_model(model.fit(X_NUMBERS, both), by_numpy(model, X_NUMBERS, both))
    labels = (both > 0.5).astype(int)
    model = ScratchMLPClassifier((20,), max_iter=20, random_state=0)
    assert_same_model(model.fit(X_NUMBERS, labels), by_numpy(model, X_NUMBERS, labels))


def test_training_goes_on_in_the_other_engine(monkeypatch):
    chunks = np.array_split(np.arange(len(CLASSES)), 5)

    def fitted(*engines):
        model = ScratchMLPClassifier((20,), random_state=0)
        for rows, engine in zip(chunks, engines, strict=True):
            monkeypatch.setenv(_engine.VARIABLE, engine)
            model.partial_fit(X_CLASSES[rows], CLASSES[rows], classes=[0, 1, 2])
        return model

    expected = fitted(*["numpy"] * 5)
    assert_same_model(fitted(*["numba"] * 5), expected)
    assert_same_model(fitted("numba", "numpy", "numba", "numpy", "numba"), expected)


def test_rows_without_weight_and_batches_without(by_numpy):
    weights = np.zeros(len(CLASSES))
    weights[:7] = 2.0
    settings = {"batch_size": 10, "shuffle": False, "max_iter": 5, "random_state": 0}
    for dropout in (0.0, 0.3):  # batches without weight draw nothing
        model = ScratchMLPClassifier((20,), dropout=dropout, **settings)
        model.fit(X_CLASSES, CLASSES, sample_weight=weights)
        assert_same_model(model, by_numpy(model, X_CLASSES, CLASSES, sample_weight=weights))


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def strided(X):
    return np.repeat(X, 2, axis=1)[:, ::2]


@pytest.mark.parametrize("hidden", [(20,), (300, 300)])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("laid_out", [np.asfortranarray, read_only, pd.DataFrame, strided])
def test_the_layout_of_the_data_changes_no_bit(laid_out, shuffle, hidden):
    model = ScratchMLPClassifier(hidden, shuffle=shuffle, batch_size=40, max_iter=3, random_state=0)
    expected = clone(model).fit(X_CLASSES, CLASSES)
    X = laid_out(X_CLASSES)
    with warnings.catch_warnings(action="ignore"):
        model.fit(X, CLASSES)
    for ours, theirs in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def parts_of_training(hidden, batch_size=20, dropout=()):
    network = Network.mlp([4, *hidden, 3], ReLU(), LogLoss(), dropout=dropout)
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    y = CLASSES[:, np.newaxis].astype(float)
    batches = Batches(X_CLASSES, y, None, batch_size, rng=np.random.RandomState(0))
    adam = Adam()
    training = Training(
        adam, SCHEDULES["constant"](), adam.init(parameters.flat), Progress(0.001), Patience(1e-4, 10)
    )
    return network, parameters, batches, training


@pytest.mark.parametrize("hidden", [(20,), (900, 900)])
def test_small_and_large_networks_are_trained_by_whole_epochs(hidden):
    network, parameters, batches, training = parts_of_training(hidden)
    run = _engine.engine().run_epoch(network, parameters, batches, training, None, Team())
    assert isinstance(run, whole_epochs.WholeEpochs)


def test_a_network_with_dropout_is_trained_by_whole_epochs():
    network, _, batches, training = parts_of_training((20, 9, 7), dropout=[0.1, 0.0, 0.2])
    assert list(whole_epochs.plan_of(network, batches, training)[0].rates) == [0.1, 0.0, 0.2]
    training.regularization = SCHEDULES["constant"]()  # rates that change from step to step
    assert whole_epochs.plan_of(network, batches, training) is None
    twice = Network((*network.layers[:3], *network.layers[2:]), network.loss)
    training.regularization = None
    assert whole_epochs.plan_of(twice, batches, training) is None


def test_without_a_source_of_random_numbers_nothing_is_left_out():
    models = []
    for engine in (NUMPY, _engine.engine()):
        network, parameters, batches, training = parts_of_training((20,), dropout=[0.5])
        train_minibatch(network, parameters, batches, training, History(), 3, engine=engine)
        models.append(parameters.flat)
    np.testing.assert_allclose(models[1], models[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["activation relu", "three layers", "clipped"])
def test_whole_epochs_and_single_steps_are_one_model(name, monkeypatch):
    model = ScratchMLPClassifier(**{**SMALL, **FITS[name]})
    expected = clone(model).fit(X_CLASSES, CLASSES)
    monkeypatch.setattr(whole_epochs, "plan_of", None)
    monkeypatch.setattr(compiled_engine, "plan_of", lambda *parts: None)
    assert_same_model(model.fit(X_CLASSES, CLASSES), expected)


def test_many_calls_make_an_epoch_as_one_does(monkeypatch):
    model = ScratchMLPClassifier((20,), batch_size=7, max_iter=5, learning_rate="cosine", random_state=0)
    expected = clone(model).fit(X_CLASSES, CLASSES)
    monkeypatch.setattr(whole_epochs, "WORK_OF_A_CALL", 30_000)
    assert_same_model(model.fit(X_CLASSES, CLASSES), expected, 0)


def test_other_threads_run_while_a_compiled_call_does():
    X, y = np.random.RandomState(0).normal(size=(20_000, 30)), np.arange(20_000) % 2
    model = ScratchMLPClassifier((50,), max_iter=2, random_state=0).fit(X[:100], y[:100])  # compiled
    longest, ended = [0.0], threading.Event()

    def watch():
        before = time.perf_counter()
        while not ended.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest[0], before = max(longest[0], now - before), now

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
    finally:
        ended.set()
        watcher.join()
    assert longest[0] < seconds / 2


def test_what_has_no_kernel_runs_in_numpy(by_numpy):
    X, model = csr_matrix(X_CLASSES), ScratchMLPClassifier((20,), max_iter=5, random_state=0)
    assert_same_model(model.fit(X, CLASSES), by_numpy(model, X, CLASSES))
    model = ScratchMLPClassifier((20,), activation=Sine(), solver=Sign(), max_iter=5, random_state=0)
    assert_same_model(model.fit(X_CLASSES, CLASSES), by_numpy(model, X_CLASSES, CLASSES))


def test_many_rows_are_predicted_as_few_are(by_numpy):
    model = ScratchMLPClassifier((300, 200), activation="tanh", max_iter=2, random_state=0)
    model.fit(X_CLASSES, CLASSES)
    many = np.tile(X_CLASSES, (20, 1))
    one_by_one = [model.predict_proba(row[np.newaxis])[0] for row in X_CLASSES]
    np.testing.assert_allclose(model.predict_proba(many)[: len(X_CLASSES)], one_by_one, atol=1e-13)


@pytest.mark.parametrize("name", ["", "numba"])
def test_the_engine_is_the_compiled_one(name, monkeypatch):
    monkeypatch.setenv(_engine.VARIABLE, name)
    assert _engine.engine().name == "numba"
    assert not _engine.reason_for_numpy()


def test_the_environment_switches_it_off(monkeypatch):
    monkeypatch.setenv(_engine.VARIABLE, "numpy")
    assert _engine.engine() is NUMPY
    assert _engine.reason_for_numpy() == "SKNN_SCRATCH_ENGINE=numpy"
    monkeypatch.setenv(_engine.VARIABLE, "numpyy")
    with pytest.raises(ValueError, match="SKNN_SCRATCH_ENGINE must be 'numpy' or 'numba', got 'numpyy'"):
        ScratchMLPClassifier().fit(X_CLASSES, CLASSES)


def test_where_a_kernel_cannot_be_compiled_numpy_computes_and_a_warning_says_so_once(monkeypatch, by_numpy):
    def fails(*args):
        raise RuntimeError("LLVM is of another opinion\nand says much more")

    monkeypatch.setattr(compiled_engine.CompiledEngine, "failure", "")
    monkeypatch.setattr(compiled_engine, "plan_of", fails)
    model = ScratchMLPClassifier((20,), max_iter=5, random_state=0)
    with pytest.warns(UserWarning, match="kernels do not work here.*LLVM is of another opinion$"):
        model.fit(X_CLASSES, CLASSES)
    expected = by_numpy(model, X_CLASSES, CLASSES)
    assert_same_model(model, expected, 0)
    assert_same_model(clone(model).fit(X_CLASSES, CLASSES), expected, 0)  # without a warning
    assert _engine.reason_for_numpy() == "RuntimeError: LLVM is of another opinion\nand says much more"


def test_a_checkpoint_of_the_other_engine_goes_on_with_a_warning(tmp_path, monkeypatch):
    path = str(tmp_path / "state.npz")
    model = ScratchMLPClassifier((20,), max_iter=6, random_state=0)
    expected = clone(model).fit(X_CLASSES, CLASSES)
    with monkeypatch.context() as patched:
        patched.setenv(_engine.VARIABLE, "numpy")
        clone(model).set_callbacks(Checkpoint(path), StopAfter(3)).fit(X_CLASSES, CLASSES)
    model.set_callbacks(Checkpoint(path, resume=True))
    with pytest.warns(UserWarning, match="saved by the engine 'numpy', but training continues with 'numba'"):
        model.fit(X_CLASSES, CLASSES)
    assert_same_model(model, expected)


class FromOneDown(Schedule):
    def __call__(self, progress):
        return 1 if progress.step == 0 else 1 / (1 + progress.step)  # an integer first


def test_a_schedule_of_ones_own_may_return_integers(by_numpy):
    model = ScratchMLPClassifier((20,), solver="sgd", learning_rate=FromOneDown(), max_iter=5, random_state=0)
    assert_same_model(model.fit(X_CLASSES, CLASSES), by_numpy(model, X_CLASSES, CLASSES))
