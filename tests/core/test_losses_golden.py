"""Losses against scikit-learn's and SciPy's, and settings against what they mean."""

import numpy as np
import pytest
import reference
import scipy.special
import scipy.stats
from reference import evaluate
from sklearn import _loss as sklearn_losses
from sklearn import metrics

from sknn_scratch.core import (
    LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    Gamma,
    GaussianNLL,
    Huber,
    LogLoss,
    Loss,
    Poisson,
    Quantile,
    SquaredError,
)


def data(loss, n_outputs):
    rng = np.random.RandomState(0)
    raw = rng.normal(size=(50, n_outputs))
    return raw, reference.draw_targets(rng, loss, 50, n_outputs), rng.uniform(0, 2, 50)


@pytest.mark.parametrize(
    ("loss", "metric"),
    [
        (SquaredError(), lambda y, p, w: metrics.mean_squared_error(y, p, sample_weight=w) / 2),
        (AbsoluteError(), lambda y, p, w: metrics.mean_absolute_error(y, p, sample_weight=w)),
        (Quantile(), lambda y, p, w: metrics.mean_pinball_loss(y, p, sample_weight=w)),
        (Quantile(0.9), lambda y, p, w: metrics.mean_pinball_loss(y, p, sample_weight=w, alpha=0.9)),
        (Poisson(), lambda y, p, w: metrics.mean_poisson_deviance(y, p, sample_weight=w) / 2),
        (Gamma(), lambda y, p, w: metrics.mean_gamma_deviance(y, p, sample_weight=w) / 2),
    ],
    ids=lambda value: str(value) if isinstance(value, Loss) else "",
)
def test_losses_are_scikit_learns_metrics(loss, metric):
    raw, y, weight = data(loss, 1)
    p = np.empty_like(raw)
    loss.predict(raw, out=p)
    assert evaluate(loss, raw, y, weight)[0] == pytest.approx(metric(y.ravel(), p.ravel(), weight), rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "theirs", "difference"),
    [
        (SquaredError(), sklearn_losses.HalfSquaredError(), lambda y: y * 0),
        (AbsoluteError(), sklearn_losses.AbsoluteError(), lambda y: y * 0),
        (Quantile(0.2), sklearn_losses.PinballLoss(quantile=0.2), lambda y: y * 0),
        (Huber(), sklearn_losses.HuberLoss(delta=1.0), lambda y: y * 0),
        (Huber(0.3), sklearn_losses.HuberLoss(delta=0.3), lambda y: y * 0),
        # theirs leave out what does not depend on the raw scores
        (Poisson(), sklearn_losses.HalfPoissonLoss(), lambda y: scipy.special.xlogy(y, y) - y),
        (Gamma(), sklearn_losses.HalfGammaLoss(), lambda y: -np.log(y) - 1),
    ],
    ids=lambda value: str(value) if isinstance(value, Loss) else "",
)
def test_values_and_gradients_are_those_that_scikit_learn_boosts_with(loss, theirs, difference):
    raw, y, _ = data(loss, 1)
    values, gradient = theirs.loss_gradient(y_true=y.ravel(), raw_prediction=raw.ravel())
    value, ours = evaluate(loss, raw, y)
    assert value == pytest.approx((values + difference(y.ravel())).mean(), rel=1e-12)
    np.testing.assert_allclose(len(y) * ours.ravel(), gradient, rtol=1e-11, atol=1e-14)


def test_several_quantiles_are_single_ones_summed_each_on_columns_of_its_own():
    levels = [0.1, 0.5, 0.75]
    raw, y, weight = data(Quantile(levels), 6)
    together, gradient = evaluate(Quantile(levels), raw, y, weight)
    columns = [slice(0, 2), slice(2, 4), slice(4, 6)]
    parts = [evaluate(Quantile(q), raw[:, c], y, weight) for q, c in zip(levels, columns, strict=True)]
    assert together == pytest.approx(sum(value for value, _ in parts), rel=1e-13)
    np.testing.assert_allclose(gradient, np.hstack([part for _, part in parts]), rtol=1e-13)


@pytest.mark.parametrize("n_targets", [1, 3])
def test_gaussian_nll_is_minus_scipys_log_density(n_targets):
    raw, y, weight = data(GaussianNLL(), 2 * n_targets)
    density = scipy.stats.norm.logpdf(y, raw[:, :n_targets], np.exp(raw[:, n_targets:]))
    expected = -np.average(density.sum(axis=1), weights=weight)
    assert evaluate(GaussianNLL(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_log_loss_is_scikit_learns():
    raw, y, weight = data(LogLoss(), 3)
    p = scipy.special.softmax(raw, axis=1)
    expected = metrics.log_loss(y.ravel(), p, sample_weight=weight, labels=[0, 1, 2])
    assert evaluate(LogLoss(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_binary_log_loss_is_scikit_learns_summed_over_labels():
    raw, y, weight = data(BinaryLogLoss(), 3)
    p = scipy.special.expit(raw)
    expected = sum(
        metrics.log_loss(y[:, k], p[:, k], sample_weight=weight, labels=[0, 1]) for k in range(y.shape[1])
    )
    assert evaluate(BinaryLogLoss(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_the_log_loss_of_smoothed_labels_is_a_mixture_over_all_classes():
    raw, y, weight = data(LogLoss(), 4)
    shares = [(0.7, y), *((0.3 / 4, np.full_like(y, k)) for k in range(4))]
    parts = [(share, *evaluate(LogLoss(), raw, target, weight)) for share, target in shares]
    value, gradient = evaluate(LogLoss(label_smoothing=0.3), raw, y, weight)
    assert value == pytest.approx(sum(share * part for share, part, _ in parts), rel=1e-12)
    np.testing.assert_allclose(gradient, sum(share * part for share, _, part in parts), atol=1e-15)


def test_the_binary_log_loss_of_smoothed_labels_is_a_mixture_with_the_other_label():
    raw, y, weight = data(BinaryLogLoss(), 3)
    parts = [(0.85, *evaluate(BinaryLogLoss(), raw, y, weight))]
    parts += [(0.15, *evaluate(BinaryLogLoss(), raw, 1 - y, weight))]
    value, gradient = evaluate(BinaryLogLoss(label_smoothing=0.3), raw, y, weight)
    assert value == pytest.approx(sum(share * part for share, part, _ in parts), rel=1e-12)
    np.testing.assert_allclose(gradient, sum(share * part for share, _, part in parts), atol=1e-15)


@pytest.mark.parametrize("name", ["log_loss", "binary_log_loss"])
def test_smoothed_labels_are_best_met_by_the_smoothed_probabilities(name):
    loss = LOSSES[name](label_smoothing=0.2)
    if name == "log_loss":
        raw, y = np.log([[0.05, 0.05, 0.05, 0.85]]), np.array([[3.0]])
    else:
        raw, y = scipy.special.logit([[0.9, 0.1]]), np.array([[1.0, 0.0]])
    np.testing.assert_allclose(evaluate(loss, raw, y)[1], np.zeros_like(raw), atol=1e-15)
