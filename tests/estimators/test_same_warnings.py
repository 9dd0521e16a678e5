"""The same warnings as scikit-learn's, and the same is printed."""

import sys
import warnings

import numpy as np
import pytest
from helpers.beside_sklearn import N_SAMPLES, assert_same_model, both_kinds, data_for, unconverged
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor


@both_kinds
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_convergence_warning_at_max_iter(ours, theirs, solver):
    X, y, _ = data_for(ours)
    for cls in (ours, theirs):
        with pytest.warns(ConvergenceWarning, match="(?i)max.*iter|limit") as caught:
            cls(solver=solver, max_iter=3, random_state=0).fit(X, y)
        assert len(caught) == 1


@pytest.mark.parametrize("params", [{"solver": "adam"}])
@pytest.mark.parametrize("cls", [ScratchMLPClassifier, ScratchMLPRegressor])
def test_warnings_point_to_the_line_that_calls_fit(cls, params):
    X, y, _ = data_for(cls)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cls(**params, batch_size=1000, max_iter=3, random_state=0).fit(X, y)
    assert len(caught) == 2
    assert {warning.filename for warning in caught} == {__file__}


@unconverged
@both_kinds
def test_batch_size_beyond_the_data_warns_and_is_clipped(ours, theirs):
    X, y, _ = data_for(ours)
    models = []
    for cls in (ours, theirs):
        with pytest.warns(UserWarning, match="batch_size.*clipped"):
            models.append(cls(batch_size=61, max_iter=3, random_state=0).fit(X, y))
    assert_same_model(*models)
    assert_same_model(ours(batch_size=60, max_iter=3, random_state=0).fit(X, y), models[1])


@unconverged
@both_kinds
def test_column_vector_y_warns_and_is_flattened(ours, theirs):
    X, y, _ = data_for(ours)
    models = []
    for cls in (ours, theirs):
        with pytest.warns(DataConversionWarning, match="column-vector"):
            models.append(cls(max_iter=3, random_state=0).fit(X, y[:, np.newaxis]))
    assert_same_model(*models)
    assert models[0].predict(X).shape == models[1].predict(X).shape == (N_SAMPLES,)


@both_kinds
@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupted_training_warns_and_keeps_what_was_learnt(ours, theirs, early_stopping, monkeypatch):
    X, y, _ = data_for(ours)

    class Keyboard:
        def write(self, text):
            if text.startswith("Iteration 3"):
                raise KeyboardInterrupt

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Keyboard())
    models = []
    for cls in (ours, theirs):
        with pytest.warns(UserWarning, match="Training interrupted by user."):
            models.append(
                cls(early_stopping=early_stopping, validation_fraction=0.2, verbose=True, random_state=0).fit(
                    X, y
                )
            )
    monkeypatch.undo()
    assert models[0].n_iter_ == 3
    if early_stopping:  # scikit-learn has not yet scored the epoch in which it printed
        assert models[1].validation_scores_ == models[0].validation_scores_[:2]
    else:
        assert_same_model(*models)


@both_kinds
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_as_many_epochs_and_why_it_ends(ours, theirs, early_stopping, capsys):
    X, y, _ = data_for(ours)
    printed = []
    for cls in (ours, theirs):
        cls(
            early_stopping=early_stopping,
            validation_fraction=0.2,
            learning_rate_init=0.05,
            tol=0.01,
            n_iter_no_change=3,
            verbose=True,
            random_state=0,
        ).fit(X, y)
        printed.append(capsys.readouterr().out.splitlines())
    assert printed[0][-1] == printed[1][-1]
    assert printed[0][-1].endswith("consecutive epochs. Stopping.")
    epochs = [sum(line.startswith("Iteration ") for line in lines) for lines in printed]
    assert epochs[0] == epochs[1] == len(printed[0]) - 1
