"""The presets of this library at their defaults, on real data, beside what they must beat."""

import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchRealMLPClassifier, ScratchRealMLPRegressor

each_preset = pytest.mark.parametrize("preset", ["fast", pytest.param("best", marks=pytest.mark.full)])


@each_preset
def test_digits_are_told_apart_better_than_by_a_linear_model_and_a_plain_network(preset):
    X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    model = ScratchRealMLPClassifier(preset, random_state=0).fit(X, y)
    others = [
        make_pipeline(StandardScaler(), kind).fit(X, y)
        for kind in (LogisticRegression(max_iter=1000), ScratchMLPClassifier(random_state=0))
    ]
    assert model.score(X_test, y_test) > max(other.score(X_test, y_test) for other in others)
    losses = [log_loss(y_test, one.predict_proba(X_test)) for one in (model, *others)]
    assert losses[0] == min(losses)


@each_preset
def test_diabetes_is_predicted_better_than_by_the_mean(preset):
    X, X_test, y, y_test = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    model = ScratchRealMLPRegressor(preset, random_state=0).fit(X, y)
    constant = DummyRegressor().fit(X, y).score(X_test, y_test)
    assert model.score(X_test, y_test) > max(constant, 0.0) + 0.25


def test_validation_data_of_ones_own_leave_nothing_for_a_second_training():
    X, X_val, y, y_val = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    model = ScratchRealMLPRegressor("fast", max_iter=3, random_state=0).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ == 3
    with pytest.raises(ValueError, match="refit=True trains again"):
        model.set_params(refit=True).fit(X, y, X_val=X_val, y_val=y_val)
