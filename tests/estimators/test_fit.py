"""What a user may rely on in training, beside the same model as scikit-learn's."""

import contextlib
import copy
import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from helpers.fits import (
    DATA,
    X2,
    X3,
    XM,
    XR,
    Y2,
    Y3,
    YM,
    YR,
    assert_same_weights,
    both,
    classifier,
    each_solver,
    each_target,
    regressor,
    weights,
)
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import Activation, Adam, Tanh
from sknn_scratch.estimators._run import MLPRun

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestCourse:
    @both
    @pytest.mark.parametrize(
        ("solver", "early_stopping"),
        [("adam", False), ("adam", True), ("sgd", False), ("sgd", True), ("lbfgs", False)],
    )
    def test_verbose_prints_a_line_an_epoch(self, make, X, y, solver, early_stopping, capsys):
        model = make(solver=solver, verbose=True, max_iter=4, early_stopping=early_stopping).fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        expected = []
        for row in model.history_:
            expected.append(f"Iteration {row['epoch']}, loss = {row['loss']:.8f}, ")
        assert len(expected) == 4
        assert [line[: len(start)] for line, start in zip(lines, expected, strict=True)] == expected
        assert all((", val " in line) is early_stopping for line in lines)
        assert all((", lr " in line) is (solver != "lbfgs") for line in lines)
        make(solver=solver, max_iter=4).fit(X, y)
        assert capsys.readouterr().out == ""

    def test_verbose_says_why_training_ended(self, capsys):
        model = classifier(verbose=True, tol=10.0, n_iter_no_change=2).fit(X3, Y3)
        out = capsys.readouterr().out
        assert model.n_iter_ == 4
        assert "did not improve more than tol=10.000000 for 2 consecutive epochs. Stopping." in out

    @both
    @each_solver
    def test_the_loss_curve_has_one_loss_an_epoch(self, make, X, y, solver):
        model = make(solver=solver, max_iter=12).fit(X, y)
        assert model.n_iter_ == len(model.loss_curve_) == 12
        assert model.loss_ == model.loss_curve_[-1] < model.loss_curve_[0]
        assert model.best_loss_ == min(model.loss_curve_)

    def test_a_limit_of_evaluations_ends_lbfgs_with_a_warning(self):
        with pytest.warns(ConvergenceWarning, match="max_fun=5"):
            model = classifier(solver="lbfgs", max_fun=5).fit(X3, Y3)
        assert model.n_iter_ == len(model.loss_curve_) <= 5

    @both
    def test_early_stopping_gives_back_the_weights_of_the_best_epoch(self, make, X, y):
        settings = {"early_stopping": True, "validation_fraction": 0.3, "learning_rate_init": 0.1}
        model = make(**settings, max_iter=1000, n_iter_no_change=5).fit(X, y)
        best = int(np.argmax(model.validation_scores_))
        assert best < len(model.validation_scores_) - 1 < 999
        assert model.best_validation_score_ == model.validation_scores_[best]
        assert_same_weights(model, make(**settings, max_iter=best + 1).fit(X, y))

    @both
    def test_a_second_warm_fit_does_not_spoil_the_best_weights_of_the_first(self, make, X, y):
        model = make(early_stopping=True, warm_start=True, max_iter=60, validation_fraction=0.3).fit(X, y)
        score, kept = model.score(X, y), [array.copy() for array in weights(model)]
        with contextlib.suppress(ValueError):
            model.set_params(learning_rate_init=5.0, max_iter=3).fit(X, y)
        for array, before in zip(weights(model), kept, strict=True):
            np.testing.assert_array_equal(array, before)
        assert model.score(X, y) == score

    def test_classes_of_one_sample_are_named_and_early_stopping_works(self):
        y = np.where(np.arange(120) == 5, 9, Y3)
        with pytest.warns(UserWarning, match=r"Classes \[9\] have one sample each"):
            model = classifier(early_stopping=True).fit(X3, y)
        assert model.predict_proba(X3).shape == (120, 4)

    @both
    @each_solver
    def test_the_same_seed_gives_the_same_model(self, make, X, y, solver):
        assert_same_weights(make(solver=solver).fit(X, y), make(solver=solver).fit(X, y))

    @both
    @each_solver
    def test_whole_weights_equal_repeated_rows(self, make, X, y, solver):
        times = np.random.RandomState(0).randint(0, 3, len(X))
        settings = {"solver": solver, "batch_size": 10**6, "max_iter": 5, "activation": "tanh"}
        with (
            pytest.warns(UserWarning, match="going to be clipped")
            if solver != "lbfgs"
            else contextlib.nullcontext()
        ):
            weighted = make(**settings).fit(X, y, sample_weight=times)
            repeated = make(**settings).fit(X.repeat(times, axis=0), y.repeat(times, axis=0))
        for a, b in zip(weights(weighted), weights(repeated), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


class TestPartialFit:
    @both
    @pytest.mark.parametrize("solver", ["adam", "sgd"])
    @pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
    def test_a_sequence_of_calls_equals_as_many_epochs_of_fit(self, make, X, y, solver, learning_rate):
        settings = {"solver": solver, "learning_rate": learning_rate, "shuffle": False, "batch_size": 50}
        whole = make(**settings, max_iter=4).fit(X, y)
        parts = make(**settings)
        for _ in range(4):
            parts.partial_fit(X, y, **({"classes": [0, 1, 2]} if make is classifier else {}))
        assert_same_weights(whole, parts)
        assert whole.loss_curve_ == parts.loss_curve_
        assert whole.t_ == parts.t_ == 4 * len(X)

    def test_chunks_may_lack_classes(self):
        model = classifier(learning_rate_init=0.05)
        for _ in range(10):
            for k in (2, 0, 1):
                model.partial_fit(X3[k == Y3], Y3[k == Y3], classes=[0, 1, 2])
        assert model.predict_proba(X3).shape == (120, 3)
        assert model.score(X3, Y3) > 0.6

    def test_binary_chunks_may_lack_a_class(self):
        model = classifier().partial_fit(X2[Y2 == 1], Y2[Y2 == 1], classes=[0, 1])
        model.partial_fit(X2[Y2 == 0], Y2[Y2 == 0])
        assert model.decision_function(X2).shape == (120,)

    def test_small_chunks_do_not_warn_at_every_call(self, recwarn):
        model = regressor(batch_size=50).fit(XR, YR)
        recwarn.clear()
        for start in range(0, 40, 10):
            model.partial_fit(XR[start : start + 10], YR[start : start + 10])
        assert not recwarn

    def test_multilabel_chunks(self):
        model = classifier()
        for start in (0, 40, 80):
            rows = slice(start, start + 40)
            model.partial_fit(XM[rows], YM[rows], classes=np.arange(4))
        assert model.predict(XM).shape == (120, 4)

    @both
    def test_an_int_seed_shuffles_anew_at_each_call(self, make, X, y):
        classes = {"classes": [0, 1, 2]} if make is classifier else {}
        settings = {"batch_size": 20, "solver": "sgd"}
        stream = make(**settings, random_state=np.random.RandomState(0))
        seeded = make(**settings, random_state=0)
        for _ in range(3):
            assert_same_weights(seeded.partial_fit(X, y, **classes), stream.partial_fit(X, y, **classes))

    @both
    def test_a_pickle_in_the_middle_changes_nothing(self, make, X, y):
        straight, broken = make(max_iter=2).fit(X, y), make(max_iter=2).fit(X, y)
        for _ in range(3):
            broken = pickle.loads(pickle.dumps(broken)).partial_fit(X, y)
            straight.partial_fit(X, y)
        assert_same_weights(straight, broken)

    @both
    def test_it_goes_on_from_a_fit_with_early_stopping(self, make, X, y):
        model = make(early_stopping=True).fit(X, y)
        model.set_params(early_stopping=False).partial_fit(X, y)
        assert np.isfinite(model.best_loss_)


class TestThreads:
    @each_target
    def test_predicting_while_another_thread_clones_and_pickles(self, target):
        X, y = DATA[target]
        model = classifier(max_iter=3).fit(X, y)
        alone, done = model.predict_proba(X), threading.Event()

        def copy_on():
            while not done.is_set():
                clone(model)
                np.testing.assert_array_equal(copy.copy(model).predict_proba(X), alone)
                np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), alone)
            return True

        with ThreadPoolExecutor(9) as pool:
            copying = pool.submit(copy_on)
            try:
                for probabilities in pool.map(lambda _: model.predict_proba(X), range(200)):
                    np.testing.assert_array_equal(probabilities, alone)
            finally:
                done.set()
            assert copying.result()


class TestArchitecture:
    @both
    def test_hidden_layer_sizes_may_be_an_int_or_any_sequence(self, make, X, y):
        expected = make(hidden_layer_sizes=(5,)).fit(X, y)
        for sizes in (5, np.int64(5), [5], np.array([5]), (np.int32(5),), range(5, 6)):
            assert_same_weights(make(hidden_layer_sizes=sizes).fit(X, y), expected)
        for none in ((), [], np.array([], dtype=int)):
            assert [coef.shape[0] for coef in make(hidden_layer_sizes=none).fit(X, y).coefs_] == [6]
        deep = make(hidden_layer_sizes=[5, 3, 4]).fit(X, y)
        assert [coef.shape[0] for coef in deep.coefs_] == [6, 5, 3, 4]
        assert deep.n_layers_ == 5

    @pytest.mark.parametrize("target", ["binary", "multiclass"])
    def test_no_hidden_layer_is_logistic_regression(self, target):
        X, y = DATA[target]
        ours = classifier(hidden_layer_sizes=(), solver="lbfgs", alpha=2.0, max_iter=1000, tol=1e-8).fit(X, y)
        theirs = LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=1000).fit(X, y)
        np.testing.assert_allclose(ours.coefs_[0].T, theirs.coef_, rtol=1e-3, atol=1e-4)
        # softmax does not tell a common shift of all intercepts
        for mine, other in ((ours.intercepts_[0], theirs.intercept_),):
            shift = (mine - other).mean() if target == "multiclass" else 0
            np.testing.assert_allclose(mine - shift, other, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)

    @pytest.mark.parametrize("n_outputs", [1, 2])
    def test_no_hidden_layer_is_ridge_regression(self, n_outputs):
        y = np.column_stack([YR, YR[::-1]])[:, :n_outputs]
        y = y.ravel() if n_outputs == 1 else y
        ours = regressor(hidden_layer_sizes=(), solver="lbfgs", alpha=3.0, max_iter=1000, tol=1e-9).fit(XR, y)
        theirs = Ridge(alpha=3.0).fit(XR, y)
        np.testing.assert_allclose(ours.coefs_[0].T, np.atleast_2d(theirs.coef_), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(ours.intercepts_[0], theirs.intercept_, rtol=1e-3, atol=1e-5)

    def test_objects_carry_their_own_settings(self):
        by_name = classifier(solver="adam", beta_1=0.5, activation="tanh").fit(X3, Y3)
        by_object = classifier(solver=Adam(beta_1=0.5), beta_1=0.1, activation=Tanh()).fit(X3, Y3)
        assert_same_weights(by_name, by_object)
        other = clone(by_object).set_params(solver__beta_1=0.9).fit(X3, Y3)
        assert not np.allclose(other.coefs_[0], by_object.coefs_[0])
        assert by_object.solver == Adam(beta_1=0.5)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_keeps_nothing_of_the_data_alive(solver):
    X, y = np.random.RandomState(0).normal(size=(50, 3)), np.arange(50) % 2
    gc.collect()
    gc.disable()
    try:
        ScratchMLPClassifier((2,), solver=solver, max_iter=2).fit(X, y)
        assert not [thing for thing in gc.get_objects() if issubclass(type(thing), MLPRun)]
    finally:
        gc.enable()


def test_a_fitted_model_does_not_follow_changes_of_its_activation_object():
    @dataclass
    class Leaky(Activation):
        slope: float = 0.1

        def forward(self, z, out):
            np.maximum(z, self.slope * z, out=out)

        def backward(self, z, a, delta):
            delta *= np.where(z > 0, 1.0, self.slope)

    X, y = np.random.RandomState(0).normal(size=(50, 3)), np.arange(50) % 2
    model = ScratchMLPClassifier((4,), Leaky(), max_iter=2, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(activation__slope=9.0)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_a_subclass_with_parameters_of_its_own_converts():
    class Own(ScratchMLPClassifier):
        def __init__(self, hidden_layer_sizes=(3,), extra=1):
            super().__init__(hidden_layer_sizes, max_iter=2)
            self.extra = extra

    X, y = np.random.RandomState(0).normal(size=(50, 3)), np.arange(50) % 2
    model = Own().fit(X, y)
    again = Own.from_sklearn(model.to_sklearn())
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
