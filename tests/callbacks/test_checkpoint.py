"""Checkpoint: a fit that ended early goes on to the same bits."""

import os
import pickle

import numpy as np
import pytest
from helpers.checkpoints import (
    BROKEN_OFF,
    MAX_ITER,
    TARGETS,
    WEIGHT,
    Callback,
    X,
    all_of,
    classifier,
    epochs_printed,
    fit_broken_off,
    gaussians,
    regressor,
    resume,
    saved,
    stop,
    y,
)
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch.callbacks import Checkpoint, EpochLogger
from sknn_scratch.core import AdamW, BinaryLogLoss, Cosine, Plateau, RMSprop

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FITS = {
    "adam": (classifier(), {}),
    "sgd": (classifier(solver="sgd", learning_rate_init=0.1), {}),
    "adamw in order": (classifier(solver=AdamW(weight_decay=0.1), shuffle=False), {}),
    "rmsprop, clipped": (classifier(solver=RMSprop(momentum=0.5, max_grad_norm=0.1)), {}),
    "early stopping": (classifier(early_stopping=True, learning_rate_init=0.1), {}),
    "early stopping in order, weighted": (
        classifier(early_stopping=True, shuffle=False, solver="sgd"),
        {"sample_weight": WEIGHT},
    ),
    "early stopping by a scorer": (classifier(early_stopping=True, scoring="neg_log_loss"), {}),
    "float32": (classifier(dtype="float32", early_stopping=True), {"sample_weight": WEIGHT}),
    "validation data": (classifier(), {"X_val": X[:30], "y_val": y[:30]}),
    "early stopping with validation data": (
        classifier(early_stopping=True),
        {"X_val": X[:30], "y_val": y[:30], "sample_weight_val": WEIGHT[:30]},
    ),
    "adaptive": (
        classifier(
            solver="sgd", learning_rate="adaptive", learning_rate_init=0.5, tol=1.0, n_iter_no_change=2
        ),
        {},
    ),
    "invscaling": (classifier(solver="sgd", learning_rate="invscaling", learning_rate_init=0.5), {}),
    "cosine": (classifier(learning_rate=Cosine(warmup=0.3)), {}),
    "plateau": (classifier(learning_rate=Plateau(0.5), tol=1.0, n_iter_no_change=1), {}),
    "a schedule of one's own": (classifier(learning_rate=lambda progress: 0.1 / (1 + progress.step)), {}),
    "an odd number of Gaussians": (classifier(hidden_layer_sizes=(3,), weight_init=gaussians), {}),
    "dropout": (classifier(dropout=0.3, early_stopping=True), {}),
    "dropout in float32, in order": (classifier(dropout=0.3, dtype="float32", shuffle=False), {}),
    "no hidden layer": (classifier(hidden_layer_sizes=()), {}),
    "balanced classes": (classifier(class_weight="balanced", fit_intercept=False), {}),
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(name, tmp_path):
    model, fit_params = FITS[name]
    expected = clone(model).fit(X, y, **fit_params)
    assert expected.n_iter_ == MAX_ITER  # or nothing would be left to do
    fit_broken_off(clone(model), tmp_path / "fit", (X, y), **fit_params)
    resumed = resume(clone(model), tmp_path / "fit", **fit_params)
    assert all_of(resumed) == all_of(expected)
    if not model.early_stopping and model.class_weight is None:  # then partial_fit goes on the same way, too
        assert all_of(resumed.partial_fit(X, y)) == all_of(expected.partial_fit(X, y))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (classifier(), (csr_array(X), y)),
        (classifier(early_stopping=True), (np.asfortranarray(X), np.where(y, "yes", "no").astype(object))),
        (regressor(early_stopping=True, scoring="loss"), (X, TARGETS)),
        (regressor(loss="poisson"), (X.astype(np.float32), abs(TARGETS[:, 0]))),
    ],
)
def test_data_of_any_kind(model, data, tmp_path):
    expected = clone(model).fit(*data)
    fit_broken_off(clone(model), tmp_path / "fit", data)
    assert all_of(resume(clone(model), tmp_path / "fit", data)) == all_of(expected)


@pytest.mark.parametrize("early_stopping", [False, True])
class TestRandomNumbersFromElsewhere:
    def test_none_goes_on_with_the_numbers_of_the_file(self, early_stopping, tmp_path):
        model = classifier(random_state=None, early_stopping=early_stopping)
        np.random.seed(3)
        expected = clone(model).fit(X, y)
        drawn = np.random.uniform()
        np.random.seed(3)
        fit_broken_off(clone(model), tmp_path / "fit", (X, y))
        np.random.seed(4)
        assert all_of(resume(clone(model), tmp_path / "fit")) == all_of(expected)
        assert np.random.uniform() == drawn

    def test_so_does_a_generator(self, early_stopping, tmp_path):
        def model():
            return classifier(random_state=np.random.RandomState(3), early_stopping=early_stopping)

        expected = model().fit(X, y)
        broken_off = model()
        fit_broken_off(broken_off, tmp_path / "fit", (X, y))
        assert all_of(resume(broken_off, tmp_path / "fit")) == all_of(expected)  # its numbers are drawn
        assert all_of(resume(model(), tmp_path / "fit")) == all_of(expected)  # and here they are not


@pytest.mark.parametrize("evaluation", [1, 23])
@pytest.mark.usefixtures("numpy_engine")
def test_ctrl_c_in_mid_epoch_leaves_the_last_whole_epoch(evaluation, tmp_path, monkeypatch):
    path, evaluate, n_evaluations = tmp_path / "fit", BinaryLogLoss.value_and_gradient, 0

    def interrupted(*args, **kwargs):
        nonlocal n_evaluations
        n_evaluations += 1
        if n_evaluations == evaluation:
            raise KeyboardInterrupt
        return evaluate(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(BinaryLogLoss, "value_and_gradient", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            classifier().set_callbacks(Checkpoint(path)).fit(X, y)
    assert path.exists() is (evaluation > 5)  # batches in an epoch
    assert all_of(resume(classifier(), path)) == all_of(classifier().fit(X, y))


def test_several_pieces(tmp_path):
    for epoch in (2, 1, 4):
        model = classifier(early_stopping=True)
        model.set_callbacks(Checkpoint(tmp_path / "fit", resume=True), Callback(epoch, stop)).fit(X, y)
    assert model.n_iter_ == 2 + 1 + 4
    expected = classifier(early_stopping=True).fit(X, y)
    assert all_of(resume(classifier(early_stopping=True), tmp_path / "fit")) == all_of(expected)


@pytest.mark.parametrize(
    "params", [{}, {"tol": 1.0, "n_iter_no_change": 3}, {"early_stopping": True, "tol": 1.0}]
)
def test_a_complete_fit_is_restored_without_training(params, tmp_path, monkeypatch):
    params = {"n_iter_no_change": 4, **params}
    expected = classifier(**params).set_callbacks(Checkpoint(tmp_path / "fit", every=100)).fit(X, y)
    monkeypatch.setattr(BinaryLogLoss, "value_and_gradient", None)  # whoever trains fails
    assert all_of(resume(classifier(**params), tmp_path / "fit")) == all_of(expected)


def test_warm_start(tmp_path):
    model = classifier(warm_start=True)
    fit_broken_off(model, tmp_path / "fit", (X, y))  # the first fit is one from scratch
    with pytest.raises(ValueError, match="continues an earlier one, as warm_start=True does"):
        resume(model, tmp_path / "fit")
    expected = clone(model).set_callbacks().fit(X, y)
    assert all_of(resume(clone(model), tmp_path / "fit")) == all_of(expected)


class TestInOtherEstimators:
    def test_pipeline(self, tmp_path):
        def pipeline():
            return make_pipeline(StandardScaler(), classifier(early_stopping=True))

        expected, model = pipeline().fit(X, y), pipeline()
        model[-1].set_callbacks(Checkpoint(tmp_path / "fit"), Callback(BROKEN_OFF, stop))
        assert model.fit(X, y)[-1].n_iter_ == BROKEN_OFF
        model = pipeline()
        model[-1].set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
        assert all_of(model.fit(X, y)[-1]) == all_of(expected[-1])

    def test_clones_may_write_at_the_same_time(self, tmp_path):
        checkpoint = Checkpoint(tmp_path / "fit")
        search = GridSearchCV(classifier().set_callbacks(checkpoint), {"alpha": [0.1, 0.2]}, cv=3)
        from joblib import parallel_backend

        with parallel_backend("threading", n_jobs=4):
            search.fit(X, y)
        assert os.listdir(tmp_path) == ["fit"]
        best = classifier(**search.best_params_)
        assert all_of(resume(best, tmp_path / "fit")) == all_of(clone(best).fit(X, y))
        assert checkpoint._runs == {}

    def test_no_clone_goes_on_from_the_file_of_another(self, tmp_path):
        model = classifier().set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
        with pytest.raises(ValueError, match="was saved by a fit with different X, y"):
            cross_validate(model, X, y, cv=3, error_score="raise")


class TestWithOtherCallbacks:
    def test_epochs_go_on_counting(self, path, capsys):
        model = classifier(early_stopping=True).set_callbacks(Checkpoint(path, resume=True), EpochLogger(4))
        model.fit(X, y)
        assert epochs_printed(capsys) == [8, 12]
        assert [row["epoch"] for row in model.history_] == list(range(1, MAX_ITER + 1))

    def test_the_order_of_callbacks_does_not_matter(self, tmp_path):
        for name, after in (("one", False), ("other", True)):
            callbacks = [Callback(3, stop), Checkpoint(tmp_path / name)]
            classifier().set_callbacks(*reversed(callbacks) if after else callbacks).fit(X, y)
            assert len(saved(tmp_path / name)[0]["epochs"]) == 3

    def test_data_are_not_pickled_with_the_model(self, tmp_path):
        model = classifier().set_callbacks(Checkpoint(tmp_path / "fit"))
        pickled = []
        model._skl_callbacks.append(
            Callback(2, lambda: pickled.append(pickle.dumps(model._skl_callbacks[0])))
        )
        model.fit(X, y)
        assert len(pickled[0]) < X.nbytes
        assert pickle.loads(pickled[0]).path == tmp_path / "fit"


def test_partial_fit_saves_nothing(tmp_path):
    classifier().set_callbacks(Checkpoint(tmp_path / "fit")).partial_fit(X, y, classes=[0, 1])
    assert os.listdir(tmp_path) == []
