"""A training that diverges is an error, and leaves a fitted estimator exactly as it was.

Warnings are errors here: none of NumPy's may come out.
"""

import numpy as np
import pytest
from helpers.untouched import TARGETS, X, both, fingerprint, fitted

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FAST = {"hidden_layer_sizes": (3,), "activation": "identity", "random_state": 0}

# the last is the factor of the data; None puts them at the end of what floats can hold
CAUSES = {
    "sgd": ({"solver": "sgd", "learning_rate_init": 1e200}, 1.0),
    "adam": ({"solver": "adam", "learning_rate_init": 1e200}, 1.0),
    "huge data": ({"solver": "sgd"}, None),
    "lbfgs": ({"solver": "lbfgs"}, None),
}

DIVERGED = r"diverged at epoch \d+.*Scale X.*smaller learning_rate_init"


def huge(dtype):
    return np.full(X.shape, 0.9 * np.finfo(dtype).max)


def assert_diverges(estimator, call):
    before = fingerprint(estimator)
    for _ in range(2):
        with pytest.raises(ValueError, match=DIVERGED):
            call(estimator)
        assert fingerprint(estimator) == before


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "loss"),
    [(ScratchMLPClassifier, None), (ScratchMLPRegressor, "squared_error"), (ScratchMLPRegressor, "poisson")],
    ids=["classifier", "squared error", "poisson"],
)
@pytest.mark.parametrize(
    ("cause", "early_stopping"),
    [(cause, stops) for cause in CAUSES for stops in (False, True) if not (stops and cause == "lbfgs")],
)
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_divergence_is_an_error_and_leaves_a_fitted_model_as_it_was(kind, loss, cause, early_stopping, dtype):
    settings, scale = CAUSES[cause]
    params = FAST | settings | {"early_stopping": early_stopping, "dtype": dtype}
    data, y = huge(dtype or "float64") if scale is None else scale * X, TARGETS[kind]
    if kind is ScratchMLPRegressor:
        params["loss"] = loss

    def fit(estimator):
        estimator.fit(data, y)

    assert_diverges(kind(**params), fit)
    model = fitted(kind, activation="identity", warm_start=True)
    predictions = model.predict(X)
    assert_diverges(model.set_params(**params), fit)
    np.testing.assert_array_equal(model.set_params(dtype=None).predict(X), predictions)


@both
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_partial_fit_that_diverged_is_as_if_it_had_never_been(kind, solver):
    classes = {"classes": [0, 1, 2]} if kind is ScratchMLPClassifier else {}
    models = []
    for diverges in (False, True):
        model = kind(**FAST, solver=solver, batch_size=20)
        for _ in range(3):
            model.partial_fit(X, TARGETS[kind], **classes)
        if diverges:
            bad = huge("float64")
            assert_diverges(model, lambda m, bad=bad: m.partial_fit(bad, TARGETS[kind]))
        for _ in range(2):
            model.partial_fit(X, TARGETS[kind])
        models.append(model)
    good, survivor = models
    assert survivor.loss_curve_ == good.loss_curve_
    assert fingerprint(survivor) == fingerprint(good)
    np.testing.assert_array_equal(survivor.predict(X), good.predict(X))


@both
@pytest.mark.filterwarnings("error")
def test_lbfgs_on_data_of_1e200_is_refused(kind):
    targets = TARGETS[kind] if kind is ScratchMLPClassifier else 1e200 * TARGETS[kind]
    assert_diverges(kind(**FAST, solver="lbfgs"), lambda m: m.fit(1e200 * X, targets))


@both
@pytest.mark.filterwarnings("error")
def test_gradients_too_large_for_the_averages_of_adam_are_divergence(kind):
    """The weights stay finite, because Adam divides by its average: infinity. They could not change again."""
    model = fitted(kind, activation="identity")
    targets = TARGETS[kind] if kind is ScratchMLPClassifier else 1e100 * TARGETS[kind]
    scale = 1e200 if kind is ScratchMLPClassifier else 1e70
    assert_diverges(model, lambda m: m.partial_fit(scale * X, targets))
    before = model.coefs_[0].copy()
    model.partial_fit(X, TARGETS[kind])
    assert not np.array_equal(model.coefs_[0], before)


@both
@pytest.mark.filterwarnings("error")
def test_an_error_in_the_middle_of_training_leaves_a_fitted_model_as_it_was(kind, monkeypatch):
    model = fitted(kind, warm_start=True)

    def broken(*args, **kwargs):
        raise RuntimeError("out of paper")

    monkeypatch.setattr("builtins.print", broken)
    model.set_params(verbose=True)
    before = fingerprint(model)
    with pytest.raises(RuntimeError, match="out of paper"):
        model.fit(X, TARGETS[kind])
    assert fingerprint(model) == before
