from dataclasses import dataclass

import numpy as np
import pytest
import reference
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from sknn_scratch.core import (
    LOSSES,
    OPTIMIZERS,
    SGD,
    Adam,
    Adaptive,
    Batch,
    Batches,
    Constant,
    Dense,
    Dropout,
    FlatCosine,
    GroupedAdam,
    History,
    Identity,
    Network,
    Observer,
    Outcome,
    Patience,
    Progress,
    ReLU,
    SquaredError,
    Tanh,
    Training,
    train_lbfgs,
    train_minibatch,
)
from sknn_scratch.core import lbfgs as lbfgs_module

SIZES = [2, 3, 1]


@pytest.fixture
def network():
    return Network.mlp(SIZES, Tanh(), SquaredError(), l2=0.1)


@pytest.fixture
def data():
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, (23, 2))
    return X, X[:, :1] * X[:, 1:]


class Minibatch:
    """One call of train_minibatch, and all that it leaves behind."""

    def __init__(self, network, X, y, weight=None, *, rule=None, lr=0.1, batch_size=5, rng=None, **options):
        epochs, patience = options.pop("epochs", 3), options.pop("patience", Patience(0.0, np.inf))
        schedule, batches = options.pop("schedule", Constant()), options.pop("batches", None)
        self.parameters = network.initialize(np.random.RandomState(1), X.dtype)
        self.start = self.parameters.flat.copy()
        self.rule = rule or SGD()
        self.training = Training(
            self.rule, schedule, self.rule.init(self.parameters.flat), Progress(lr), patience
        )
        self.history = History()
        self.outcome = train_minibatch(
            network,
            self.parameters,
            batches or Batches(X, y, weight, batch_size, rng=rng),
            self.training,
            self.history,
            epochs,
            **options,
        )


def lbfgs(network, X, y, weight=None, *, max_iterations=15, max_evaluations=1000, observer=None, tol=1e-9):
    parameters, history = network.initialize(np.random.RandomState(1), X.dtype), History()
    outcome, _, loss = train_lbfgs(
        network,
        parameters,
        Batch(X, y, weight),
        history,
        max_iterations,
        max_evaluations,
        tol,
        observer=observer,
    )
    return outcome, parameters, history, loss


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_minibatch_training_is_the_textbook_loop(network, data, name, weighted):
    X, y = data
    weight = np.random.RandomState(3).uniform(0.2, 2, len(X)) if weighted else None
    run = Minibatch(network, X, y, weight, rule=OPTIMIZERS[name](), lr=0.05)

    weights, biases = reference.unflatten(run.start, SIZES)
    thetas = [*weights, *biases]
    averages, t, losses = [[np.zeros_like(theta) for theta in thetas] for _ in range(2)], 0, []
    for _ in range(3):
        values, sums = [], []
        for start in range(0, len(X), 5):
            part, t = slice(start, start + 5), t + 1
            w = None if weight is None else weight[part]
            problem = (X[part], y[part], thetas[:2], thetas[2:], "tanh", "squared_error", w, 0.1)
            values.append(sum(reference.objective(*problem)))
            sums.append(len(X[part]) if w is None else w.sum())
            of_weights, of_biases = reference.gradients(*problem)
            gradients = [*of_weights, *of_biases]
            if name == "sgd":
                thetas, averages[0] = reference.sgd_step(thetas, gradients, averages[0], t, 0.05, 0.9, True)
            else:
                thetas, *averages = reference.adam_step(
                    thetas, gradients, *averages, t, 0.05, 0.9, 0.999, 1e-8
                )
        losses.append(np.average(values, weights=sums))
    np.testing.assert_allclose(run.parameters.flat, reference.flatten(thetas, []), rtol=1e-9)
    np.testing.assert_allclose(run.history.losses, losses, rtol=1e-10)
    assert run.outcome is Outcome.MAX_ITER
    assert run.training.optimizer_state.n_steps == t
    assert run.training.samples_seen == run.training.progress.samples_seen == 3 * len(X)


def test_a_batch_without_weight_is_skipped_and_counts_no_step(network, data):
    X, y = data[0][:6], data[1][:6]
    weight = np.array([1.0, 2.0, 0.0, 0.0, 1.0, 0.0])
    run = Minibatch(network, X, y, weight, rule=Adam(), batch_size=2, epochs=2)
    kept = [0, 1, 4, 5]
    without = Minibatch(network, X[kept], y[kept], weight[kept], rule=Adam(), batch_size=2, epochs=2)
    assert run.training.optimizer_state.n_steps == 4
    np.testing.assert_array_equal(run.parameters.flat, without.parameters.flat)
    assert run.history.losses == without.history.losses


@pytest.mark.parametrize("sizes", [[2, 3, 1], [2, 1]], ids=["one hidden layer", "no hidden layer"])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_one_row_of_data_is_enough(sizes, loss):
    of_loss = LOSSES[loss]()
    network = Network.mlp([*sizes[:-1], of_loss.raw_per_target], Tanh(), of_loss)
    X, y = np.array([[0.5, -1.0]]), np.array([[0.0 if 0.0 in of_loss.targets else 1.0]])
    run = Minibatch(network, X, y, lr=0.01, epochs=5)
    outcome, parameters, _, _ = lbfgs(network, X, y)
    assert run.outcome is Outcome.MAX_ITER
    assert outcome in (Outcome.CONVERGED, Outcome.MAX_ITER)
    assert np.isfinite(run.parameters.flat).all()
    assert np.isfinite(parameters.flat).all()
    assert run.history.losses[-1] <= run.history.losses[0]


def test_without_hidden_layers_both_loops_find_the_least_squares_solution(data):
    X = data[0]
    y = X @ [[2.0], [-1.0]] + 0.5
    network = Network.mlp([2, 1], Tanh(), SquaredError())
    by_sgd = Minibatch(network, X, y, batch_size=len(X), epochs=500, lr=0.3).parameters.flat
    by_lbfgs = lbfgs(network, X, y, max_iterations=100)[1].flat
    np.testing.assert_allclose(by_sgd, [2, -1, 0.5], rtol=1e-6)
    np.testing.assert_allclose(by_lbfgs, [2, -1, 0.5], rtol=1e-5)


def test_the_best_weights_are_those_of_the_best_epoch_and_not_the_live_ones(network, data):
    seen, scores = [], iter([0.1, 0.7, 0.3, 0.7])

    def validate(parameters):
        seen.append(parameters.flat.copy())
        return 0.0, next(scores)

    patience = Patience(0.0, np.inf, keeps_best_weights=True)
    run = Minibatch(network, *data, epochs=4, validate=validate, patience=patience)
    assert [epoch.validation_score for epoch in run.history.epochs] == [0.1, 0.7, 0.3, 0.7]
    np.testing.assert_array_equal(patience.best_weights, seen[1])
    assert not np.shares_memory(patience.best_weights, run.parameters.flat)
    assert not np.array_equal(patience.best_weights, run.parameters.flat)


def test_training_ends_when_patience_has_run_out(network, data):
    run = Minibatch(network, *data, lr=1e-9, epochs=50, patience=Patience(1e-3, 4))
    assert run.outcome is Outcome.CONVERGED
    assert len(run.history.losses) == 1 + 5


def test_an_adaptive_rate_goes_down_before_training_ends(network, data):
    run = Minibatch(network, *data, lr=3e-5, epochs=50, patience=Patience(1.0, 2), schedule=Adaptive())
    assert run.outcome is Outcome.CONVERGED
    # 3e-5, 6e-6 and 1.2e-6 are above a millionth, 2.4e-7 is not
    assert run.training.progress.plateaus == 3
    assert len(run.history.losses) == 1 + 4 * 3


class BatchesUnderCtrlC(Batches):
    """The user presses Ctrl-C at the third batch of the third epoch."""

    epochs = 0

    def __iter__(self):
        self.epochs += 1
        for number, batch in enumerate(super().__iter__()):
            if (self.epochs, number) == (3, 2):
                raise KeyboardInterrupt
            yield batch


def test_an_interrupt_in_mid_epoch_leaves_a_consistent_state(network, data):
    run = Minibatch(network, *data, batches=BatchesUnderCtrlC(*data, None, 5), epochs=9)
    assert run.outcome is Outcome.INTERRUPTED
    assert len(run.history.losses) == run.training.progress.epoch == 2
    assert run.training.samples_seen == 2 * len(data[0])
    assert run.training.optimizer_state.n_steps == 2 * 5 + 2
    assert np.isfinite(run.parameters.flat).all()


@dataclass
class LossUnderCtrlC(SquaredError):  # noqa: N818
    """The user presses Ctrl-C at the eighth evaluation."""

    calls: int = 0

    def value_and_gradient(self, *args, **kwargs):
        self.calls += 1
        if self.calls == 8:
            raise KeyboardInterrupt
        return super().value_and_gradient(*args, **kwargs)


def test_an_interrupt_leaves_lbfgs_at_the_last_iteration_it_had_ended(data):
    network = Network.mlp(SIZES, Tanh(), LossUnderCtrlC(), l2=0.1)
    outcome, parameters, history, loss = lbfgs(network, *data)
    assert outcome is Outcome.INTERRUPTED
    assert 1 <= len(history.losses) < 8
    assert loss == history.losses[-1]
    _, expected, _, _ = lbfgs(
        Network.mlp(SIZES, Tanh(), SquaredError(), l2=0.1), *data, max_iterations=len(history.losses)
    )
    np.testing.assert_array_equal(parameters.flat, expected.flat)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_divergence_is_an_outcome_without_a_warning(data, loss):
    X, y = data[0], np.abs(data[1])
    network = Network.mlp(SIZES, Identity(), LOSSES[loss]())
    run = Minibatch(network, X, y, lr=1e6, epochs=200)
    assert run.outcome is Outcome.DIVERGED
    assert not np.isfinite(run.history.losses[-1])
    assert np.isfinite(run.history.losses[:-1]).all()
    assert lbfgs(network, 1e200 * X, 1e200 * y)[0] is Outcome.DIVERGED


@pytest.mark.parametrize("validation", [(0.5, np.nan), (0.5, -np.inf), (np.inf, np.nan)])
def test_what_is_not_finite_in_validation_is_divergence_where_it_is_watched(network, data, validation):
    for is_watched in (True, False):
        patience = Patience(0.0, np.inf, keeps_best_weights=is_watched)
        settings = {"patience": patience, "validate": lambda parameters: validation}
        run = Minibatch(network, *data, **settings)
        recorded = [(epoch.validation_loss, epoch.validation_score) for epoch in run.history.epochs]
        assert run.outcome is (Outcome.DIVERGED if is_watched else Outcome.MAX_ITER)
        assert repr(recorded) == repr([validation] * (1 if is_watched else 3))
        assert patience.best_weights is None


def test_lbfgs_ends_where_validation_that_is_watched_is_not_finite(network, data):
    history, parameters = History(), network.initialize(np.random.RandomState(1), data[0].dtype)
    outcome, _, _ = train_lbfgs(
        network,
        parameters,
        Batch(*data, None),
        history,
        15,
        1000,
        1e-9,
        patience=Patience(0.0, np.inf, keeps_best_weights=True),
        validate=lambda parameters: (np.inf, np.nan),
    )
    assert outcome is Outcome.DIVERGED
    assert repr(history.losses) == "[nan]"


def test_a_network_that_diverged_is_not_validated():
    X, y = 1e200 * np.ones((20, 2)), np.zeros((20, 1))
    network = Network.mlp(SIZES, Identity(), SquaredError())
    run = Minibatch(network, X, y, validate=lambda parameters: pytest.fail("validated"))
    assert run.outcome is Outcome.DIVERGED
    assert np.isnan([run.history.epochs[-1].validation_loss, run.history.epochs[-1].validation_score]).all()


class SpoiltSquaredError(SquaredError):
    """The loss of the tenth evaluation and of all after it is nan."""

    n_evaluations = 0

    def value_and_gradient(self, *args, **kwargs):
        value = super().value_and_gradient(*args, **kwargs)
        self.n_evaluations += 1
        return value if self.n_evaluations < 10 else np.nan


def test_lbfgs_records_the_iteration_in_which_it_diverged(data):
    outcome, _, history, loss = lbfgs(Network.mlp(SIZES, Tanh(), SpoiltSquaredError()), *data)
    assert outcome is Outcome.DIVERGED
    assert np.isnan(loss)
    assert len(history.losses) > 1
    assert np.isfinite(history.losses).tolist() == [True] * (len(history.losses) - 1) + [False]


class StopsAt(Observer):
    def __init__(self, epoch):
        self.epoch, self.begun, self.losses = epoch, 0, []

    def epoch_begins(self):
        self.begun += 1

    def epoch_ends(self, epoch):
        self.losses.append(epoch.loss)
        return len(self.losses) == self.epoch


def test_the_observer_can_stop_minibatch_training(network, data):
    observer = StopsAt(2)
    run = Minibatch(network, *data, observer=observer, epochs=9)
    assert run.outcome is Outcome.STOPPED
    assert run.history.losses == observer.losses
    assert observer.begun == len(observer.losses) == 2
    np.testing.assert_array_equal(run.parameters.flat, Minibatch(network, *data, epochs=2).parameters.flat)


def test_the_observer_can_stop_lbfgs(network, data):
    observer = StopsAt(4)
    outcome, parameters, history, loss = lbfgs(network, *data, observer=observer)
    assert outcome is Outcome.STOPPED
    assert history.losses == observer.losses
    assert observer.begun == len(observer.losses) == 4
    assert loss == history.losses[-1]
    np.testing.assert_array_equal(parameters.flat, lbfgs(network, *data, max_iterations=4)[1].flat)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_lbfgs_ends_where_scipy_ends_on_a_naive_objective(network, data, weighted, is_sparse):
    X, y = data
    weight = np.random.RandomState(3).uniform(0.2, 2, len(X)) if weighted else None
    observer = StopsAt(None)
    outcome, parameters, history, loss = lbfgs(
        network, csr_matrix(X) if is_sparse else X, y, weight, observer=observer
    )

    def value_and_gradient(flat):
        problem = (X, y, *reference.unflatten(flat, SIZES), "tanh", "squared_error", weight, 0.1)
        return sum(reference.objective(*problem)), reference.flatten(*reference.gradients(*problem))

    start = network.initialize(np.random.RandomState(1), float).flat
    options = {"maxiter": 15, "maxfun": 1000, "gtol": 1e-9}
    expected = minimize(value_and_gradient, start, method="L-BFGS-B", jac=True, options=options)
    np.testing.assert_allclose(parameters.flat, expected.x, rtol=1e-6, atol=1e-8)
    assert loss == pytest.approx(expected.fun, rel=1e-9)
    assert outcome is {0: Outcome.CONVERGED, 1: Outcome.MAX_ITER}[expected.status]
    assert len(history.losses) == expected.nit == observer.begun
    assert history.losses[-1] == loss
    assert np.all(np.diff(history.losses) <= 0)


def test_lbfgs_is_handed_gradients_that_stay_as_they_are(network, data, monkeypatch):
    def check(value_and_gradient, start, **kwargs):
        gradients = [value_and_gradient(point)[1] for point in (start, start + 0.1, start - 0.2)]
        copies = [gradient.copy() for gradient in gradients]
        value_and_gradient(start + 1)
        for gradient, copied in zip(gradients, copies, strict=True):
            np.testing.assert_array_equal(gradient, copied)
        assert not any(np.shares_memory(gradients[0], other) for other in gradients[1:])
        assert {gradient.dtype for gradient in gradients} == {np.dtype(np.float64)}
        return minimize(value_and_gradient, start, **kwargs)

    monkeypatch.setattr(lbfgs_module, "minimize", check)
    assert lbfgs(network, *data)[0] in (Outcome.MAX_ITER, Outcome.CONVERGED)


def test_lbfgs_in_float32_ends_close_to_float64(network, data):
    wide = lbfgs(network, *data, max_iterations=200, tol=1e-5)
    narrow = lbfgs(network, *(array.astype(np.float32) for array in data), max_iterations=200, tol=1e-5)
    assert narrow[1].flat.dtype == np.float32
    assert narrow[0] is Outcome.CONVERGED
    assert narrow[3] == pytest.approx(wide[3], rel=1e-3)


def test_limits_on_iterations_and_evaluations_are_kept(network, data):
    outcome, _, history, _ = lbfgs(network, *data, max_iterations=3)
    assert outcome is Outcome.MAX_ITER
    assert len(history.losses) == 3
    outcome, _, history, loss = lbfgs(network, *data, max_evaluations=1)
    assert outcome is Outcome.MAX_ITER
    assert len(history.losses) <= 1
    assert np.isfinite(loss)


def test_the_scale_of_reported_losses_does_not_touch_the_model(network, data):
    plain = Minibatch(network, *data, epochs=2)
    scaled = History(loss_scale=3.0)
    again = network.initialize(np.random.RandomState(1), float)
    rule = SGD()
    training = Training(rule, Constant(), rule.init(again.flat), Progress(0.1), Patience(0.0, np.inf))
    train_minibatch(network, again, Batches(*data, None, 5), training, scaled, 2)
    np.testing.assert_array_equal(again.flat, plain.parameters.flat)
    assert scaled.losses[0] > 2 * plain.history.losses[0]


def test_no_epoch_ends_with_subnormal_numbers():
    # units that are never active have no gradient but the penalty's: all that belongs to them shrinks
    X, y = np.ones((400, 1), np.float32), np.zeros((400, 1), np.float32)
    network = Network.mlp([1, 4, 1], ReLU(), SquaredError(), l2=0.1)
    parameters = network.initialize(np.random.RandomState(0), np.float32)
    parameters.layers[0]["weights"][...] = -1.0
    parameters.layers[0]["bias"][...] = -1.0
    adam = Adam()
    training = Training(adam, Constant(), adam.init(parameters.flat), Progress(0.01), Patience(0.0, np.inf))
    train_minibatch(network, parameters, Batches(X, y, None, 1), training, History(), max_epochs=20)
    for array in (parameters.flat, *training.optimizer_state.averages.values()):
        assert (np.abs(array[array != 0]) >= np.finfo(np.float32).tiny).all()
    assert (training.optimizer_state.averages["m"] == 0).any()


def test_dropout_and_decay_fade_by_the_share_of_the_schedule():
    seen = []

    class Spy(Dropout):
        def draw(self, rng, buffers, strength=1.0):
            seen.append(strength)
            super().draw(rng, buffers, strength)

    rng = np.random.RandomState(0)
    network = Network((Dense(1, 8), Spy(0.5, 8), Dense(8, 1)), SquaredError())
    X = rng.standard_normal((40, 1))
    rule, parameters = GroupedAdam(weight_decay=0.1), network.initialize(rng, float)
    state = rule.init(parameters.flat)
    progress = Progress(0.01, n_steps=8)
    training = Training(rule, Constant(), state, progress, Patience(0, 9), regularization=FlatCosine())
    train_minibatch(network, parameters, Batches(X, X, None, 10), training, History(), 2, rng=rng)
    np.testing.assert_allclose(seen, [1, 1, 1, 1, 1, 0.853553, 0.5, 0.146447], rtol=1e-5)
    assert state.regularization == seen[-1]
    assert progress.learning_rate_init == 0.01
