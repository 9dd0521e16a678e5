"""calibrate=True: one temperature from the rows held out makes probabilities better."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sknn_scratch import ScratchRealMLPClassifier
from sknn_scratch.core import LogLoss
from sknn_scratch.tabular._temperature import best_temperature


def test_probabilities_of_digits_are_better_and_classes_are_the_same():
    parts = train_test_split(*load_digits(return_X_y=True), random_state=0)
    X, X_test, y, y_test = parts
    plain = ScratchRealMLPClassifier("fast", calibrate=False, random_state=0).fit(X, y)
    calibrated = clone(plain).set_params(calibrate=None).fit(X, y)
    losses = [log_loss(y_test, model.predict_proba(X_test)) for model in (plain, calibrated)]
    assert losses[1] < 0.7 * losses[0]
    assert (plain.temperature_, calibrated.temperature_ < 1) == (1.0, True)  # smoothed labels are cautious
    np.testing.assert_array_equal(plain.predict(X_test), calibrated.predict(X_test))
    np.testing.assert_allclose(calibrated.predict_proba(X_test).sum(axis=1), 1)


@pytest.mark.parametrize("n_cv", [1, 3])
def test_the_temperature_is_the_best_one_for_the_rows_held_out(n_cv, table, labels, small):
    X, _ = table
    weights = np.random.RandomState(0).uniform(0.5, 2, len(X))
    model = ScratchRealMLPClassifier(**small | {"n_cv": n_cv}, n_ens=2, calibrate=True, random_state=0)
    model.fit(X, labels, sample_weight=weights)
    again = clone(model).set_params(calibrate=False).fit(X, labels, sample_weight=weights)
    raw, uncalibrated = model.predict_log_proba(X), again.predict_log_proba(X)
    if n_cv == 1:
        scaled = uncalibrated / model.temperature_
        expected = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(raw, expected, atol=1e-9)
    assert model.temperature_ != 1.0


def test_a_later_fit_without_it_has_no_temperature(table, labels, small):
    model = ScratchRealMLPClassifier(**small, calibrate=True, random_state=0).fit(table[0], labels)
    assert model.set_params(calibrate=False).fit(table[0], labels).temperature_ == 1.0


@pytest.mark.parametrize("is_weighted", [False, True])
def test_bold_scores_are_cooled_to_the_shares_of_the_classes(is_weighted):
    rng = np.random.RandomState(0)
    y = (rng.uniform(size=(4000, 1)) < 0.3).astype(float)
    weight = np.where(y[:, 0] == 1, 2.0, 1.0) if is_weighted else None
    share = np.average(y[:, 0], weights=weight)
    raw = np.tile([0.0, 5 * np.log(share / (1 - share))], (len(y), 1))  # five times the log of the odds
    halves = [
        (raw[rows], y[rows], None if weight is None else weight[rows])
        for rows in np.split(np.arange(4000), 2)
    ]
    assert best_temperature(LogLoss(), halves) == pytest.approx(5, rel=2e-3)


def test_no_mistake_on_the_rows_held_out_does_not_mean_certainty():
    raw = np.array([[3.0, 0.0], [0.0, 3.0]] * 50)
    T = best_temperature(LogLoss(), [(raw, np.array([[0.0], [1.0]] * 50), None)])
    assert 1 / (1 + np.exp(-3 / T)) == pytest.approx(1 - 0.5 / 101, abs=1e-4)
