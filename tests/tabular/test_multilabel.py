"""Several 0/1 labels a row for ScratchRealMLPClassifier."""

import io
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse
from scipy.special import expit
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputClassifier

from sknn_scratch import ScratchRealMLPClassifier
from sknn_scratch.core import BinaryLogLoss
from sknn_scratch.tabular._fold import combined


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X, np.column_stack([y % 2, y >= 5, np.isin(y, [2, 3, 5, 7])]).astype(int)


@pytest.fixture
def labels(table):
    signal = table[1]
    return np.column_stack([signal > 0, signal > 1, table[0]["flag"]]).astype(int)


def test_it_beats_a_linear_model_for_each_label(digits):
    X, X_test, Y, Y_test = train_test_split(*digits, random_state=0)
    model = ScratchRealMLPClassifier(max_iter=32, hidden_layer_sizes=(128, 64), random_state=0).fit(X, Y)
    linear = MultiOutputClassifier(LogisticRegression(max_iter=1000)).fit(X / 16, Y)
    wrong = np.mean(model.predict(X_test) != Y_test, axis=0)
    assert (wrong < np.mean(linear.predict(X_test / 16) != Y_test, axis=0)).all()
    assert model.score(X_test, Y_test) > linear.score(X_test / 16, Y_test) + 0.1


@pytest.mark.parametrize("n_members", [{}, {"n_ens": 2}, {"n_cv": 2, "refit": True}])
def test_labels_are_those_of_a_probability_above_one_half(n_members, table, labels, small):
    model = ScratchRealMLPClassifier(**small | n_members, random_state=0).fit(table[0], labels)
    p = model.predict_proba(table[0])
    assert p.shape == labels.shape
    assert p.min() > 0
    assert p.max() < 1
    np.testing.assert_array_equal(model.predict(table[0]), (p > 0.5).astype(int))
    np.testing.assert_allclose(model.predict_log_proba(table[0]), np.log(p))
    assert model.out_activation_ == "logistic"
    assert model.n_outputs_ == 3
    assert list(model.classes_) == [0, 1, 2]
    again = pickle.load(io.BytesIO(pickle.dumps(model)))
    np.testing.assert_array_equal(again.predict_proba(table[0]), p)


def test_probabilities_of_members_are_averaged():
    raws = np.random.RandomState(0).normal(scale=3, size=(3, 5, 2))
    together = combined(BinaryLogLoss(), list(raws))
    np.testing.assert_allclose(expit(together), expit(raws).mean(axis=0), rtol=1e-12)
    assert np.isfinite(combined(BinaryLogLoss(), [np.array([[800.0]]), np.array([[800.0]])])).all()


def test_the_epoch_is_chosen_by_cross_entropy_unless_a_score_is_named(table, labels, small):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0).fit(X, labels)
    np.testing.assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_))
    assert model._folds[0].network.loss == BinaryLogLoss(0.1)
    model = ScratchRealMLPClassifier(**small, scoring="accuracy", random_state=0)
    model.fit(X[:200], labels[:200], X_val=X[200:], y_val=labels[200:])
    assert model.best_validation_score_ == model.score(X[200:], labels[200:])


def test_a_sparse_y_gives_sparse_predictions(table, labels, small):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0)
    expected = model.fit(X, labels).predict(X)
    for weight in (None, np.ones(len(X))):
        predicted = model.fit(X, csr_matrix(labels), weight).predict(X)
        assert issparse(predicted)
        np.testing.assert_array_equal(predicted.toarray(), expected)


def test_weights_of_classes_are_given_for_each_label(table, labels, small):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0)
    mean = model.fit(X, labels).predict_proba(X).mean(axis=0)
    many = model.set_params(class_weight=[{1: 30.0}, None, None]).fit(X, labels).predict_proba(X).mean(axis=0)
    assert many[0] > mean[0] + 0.1
    model.set_params(class_weight="balanced").fit(X, labels)
    with pytest.raises(ValueError, match="for multilabel targets, a list of dicts"):
        model.set_params(class_weight={1: 2.0}).fit(X, labels)


def test_one_estimator_takes_one_kind_after_the_other(table, labels, small):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0)
    expected = model.fit(X, labels[:, 0]).predict_proba(X)
    model.fit(X, labels)
    assert model.fit(X, labels[:, 0]).predict_proba(X).tolist() == expected.tolist()
    assert model.out_activation_ == "softmax"
    with pytest.raises(ValueError, match="X_val, y_val or sample_weight_val do not match X and y"):
        model.fit(X, labels, X_val=X, y_val=labels[:, 0])
    with pytest.raises(ValueError, match="one column of classes or 0/1 labels"):
        model.fit(X, labels + np.arange(300)[:, np.newaxis] % 2)
