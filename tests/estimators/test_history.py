"""`history_`: what is measured at each epoch; schedules as seen there; and the lines printed of it."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, explain_step
from sknn_scratch.callbacks import EpochLogger
from sknn_scratch.callbacks._logger import epoch_line
from sknn_scratch.core import (
    SCHEDULES,
    SGD,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Plateau,
    Progress,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = [
    "epoch",
    "loss",
    "validation_loss",
    "validation_score",
    "learning_rate",
    "gradient_norm",
    "seconds",
]
X, Y = make_classification(120, 6, n_informative=4, flip_y=0.1, random_state=0)
both = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


def unfitted(kind=ScratchMLPClassifier, **params):
    settings = {"hidden_layer_sizes": (5,), "max_iter": 6, "learning_rate_init": 0.01, "random_state": 0}
    return kind(**settings | params)


def column(model, name):
    return [row[name] for row in model.history_]


def norm_of_gradient(model):
    """That of the penalised loss on all data, by explaining a step."""
    layers = explain_step(model, X, Y).layers
    gradients = [layer.weights_gradient for layer in layers] + [layer.bias_gradient for layer in layers]
    return np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))


@both
@each_solver
@pytest.mark.parametrize("validated", [False, True])
def test_it_has_one_row_an_epoch_and_makes_a_table(kind, solver, validated):
    given = {"X_val": X, "y_val": Y} if validated else {}
    model = unfitted(kind, solver=solver, dtype="float32").fit(X, Y, **given)
    table = pd.DataFrame(model.history_)
    assert list(table.columns) == COLUMNS
    assert list(table["epoch"]) == list(range(1, model.n_iter_ + 1)) == [1, 2, 3, 4, 5, 6]
    assert column(model, "loss") == model.loss_curve_
    assert model.loss_ == model.loss_curve_[-1]
    assert column(model, "validation_loss") == (model.validation_loss_curve_ or [None] * 6)
    assert column(model, "validation_score") == (model.validation_scores_ or [None] * 6)
    assert column(model, "learning_rate") == [None if solver == "lbfgs" else 0.01] * 6
    assert table[["gradient_norm", "seconds"]].gt(0).all(axis=None)
    assert table["seconds"].sum() < 60
    assert {type(value) for row in model.history_ for value in row.values()} <= {int, float, type(None)}
    assert json.loads(json.dumps(model.history_)) == model.history_


@both
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_warm_start_appends_and_numbers_go_on(kind, solver):
    model = unfitted(kind, solver=solver, warm_start=True).fit(X, Y)
    first = model.history_.copy()
    model.set_params(max_iter=3).fit(X, Y)
    assert model.history_[:6] == first
    assert column(model, "epoch") == list(range(1, 10))
    assert column(model, "loss") == model.loss_curve_
    assert model.n_iter_ == 3
    model.set_params(warm_start=False).fit(X, Y)
    assert column(model, "epoch") == [1, 2, 3]


@both
def test_partial_fit_appends_a_row(kind):
    model = unfitted(kind, batch_size=50, shuffle=False)
    whole = unfitted(kind, batch_size=50, shuffle=False, max_iter=4).fit(X, Y)
    for _ in range(4):
        model.partial_fit(X, Y, **({"classes": [0, 1]} if kind is ScratchMLPClassifier else {}))
    for name in COLUMNS[:-1]:  # the clock differs
        assert column(model, name) == column(whole, name)


@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
def test_numbers_go_on_after_what_scikit_learn_has_trained(go_on):
    theirs = MLPClassifier((5,), max_iter=7, random_state=0).fit(X, Y)
    model = ScratchMLPClassifier.from_sklearn(theirs).set_params(warm_start=True, max_iter=1)
    getattr(model, go_on)(X, Y)
    assert column(model, "epoch") == [8]
    assert len(model.loss_curve_) == 8


@both
def test_what_is_interrupted_keeps_the_epochs_that_ended(kind):
    calls = []

    def interrupted(model, X, y):
        calls.append(len(calls))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return 0.0

    with pytest.warns(UserWarning, match="interrupted"):
        model = unfitted(kind, scoring=interrupted).fit(X, Y, X_val=X, y_val=Y)
    assert column(model, "epoch") == [1, 2, 3]
    assert column(model, "loss") == model.loss_curve_


@both
@pytest.mark.parametrize("optimizer", [SGD(), SGD(max_grad_norm=0.01)], ids=["plain", "clipped"])
def test_the_gradient_is_that_of_the_first_step_before_it_is_clipped(kind, optimizer):
    model = unfitted(kind, solver=optimizer, batch_size=120, alpha=0.1, activation="tanh", shuffle=False)
    model.partial_fit(X, Y, **({"classes": [0, 1]} if kind is ScratchMLPClassifier else {}))
    for _ in range(3):
        expected = norm_of_gradient(model)
        model.partial_fit(X, Y)
        assert model.history_[-1]["gradient_norm"] == pytest.approx(expected, rel=1e-10)


@both
def test_the_gradient_of_lbfgs_is_that_where_the_iteration_ended(kind):
    for max_iter in (1, 4):
        model = unfitted(kind, solver="lbfgs", max_iter=max_iter, alpha=0.1, activation="tanh").fit(X, Y)
        assert model.history_[-1]["gradient_norm"] == pytest.approx(norm_of_gradient(model), rel=1e-6)


NEW_SCHEDULES = {
    "cosine": Cosine(),
    "warm cosine": Cosine(warmup=0.1, final=0.01),
    "one_cycle": OneCycle(),
    "exponential": Exponential(decay=0.7, warmup=0.2),
    "plateau": Plateau(),
}


@both
@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "rmsprop"])
@pytest.mark.parametrize("name", NEW_SCHEDULES)
def test_the_learning_rate_is_that_of_the_last_step(kind, solver, name):
    schedule = NEW_SCHEDULES[name]
    settings = {"solver": solver, "batch_size": 40, "max_iter": 10, "n_iter_no_change": np.inf}
    model = unfitted(kind, learning_rate=schedule, **settings).fit(X, Y)
    steps = [Progress(0.01, epoch=i, step=3 * i + 2, n_steps=30) for i in range(10)]
    assert column(model, "learning_rate") == pytest.approx([schedule(step) for step in steps], rel=1e-12)
    constant = unfitted(kind, **settings).fit(X, Y)
    changes = any(rate != 0.01 for rate in column(model, "learning_rate"))
    assert changes is (name != "plateau")
    assert (model.loss_curve_ == constant.loss_curve_) is not changes


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_schedules_go_by_name_with_adam(name):
    def trained(learning_rate):
        return unfitted(learning_rate=learning_rate, max_iter=60, learning_rate_init=0.05, tol=0).fit(X, Y)

    model = trained(name)
    assert model.loss_ < 0.8 * model.loss_curve_[0]
    # by name, those of scikit-learn are for sgd only
    schedule = "constant" if name in ("constant", "invscaling", "adaptive") else SCHEDULES[name]()
    assert model.loss_curve_ == trained(schedule).loss_curve_


def test_objects_of_scikit_learns_schedules_are_for_every_solver():
    model = unfitted(learning_rate=InverseScaling(power_t=1.0), batch_size=40).fit(X, Y)
    expected = [0.01 / (120 * i + 1) for i in range(6)]
    assert column(model, "learning_rate") == pytest.approx(expected)


def test_invscaling_and_adaptive_of_sgd():
    model = unfitted(solver="sgd", learning_rate="invscaling", power_t=0.25).fit(X, Y)
    expected = [0.01 / (120 * i + 1) ** 0.25 for i in range(6)]
    assert column(model, "learning_rate") == pytest.approx(expected)
    model = unfitted(solver="sgd", learning_rate="adaptive", tol=10.0, n_iter_no_change=1, max_iter=7).fit(
        X, Y
    )
    assert column(model, "learning_rate") == pytest.approx([0.01] * 3 + [0.002] * 2 + [0.0004] * 2)


def test_plateau_cuts_when_patience_runs_out():
    schedule = Plateau(factor=0.5, min_factor=0.25)
    model = unfitted(learning_rate=schedule, tol=10.0, n_iter_no_change=1, max_iter=50).fit(X, Y)
    assert column(model, "learning_rate") == pytest.approx([0.01] * 3 + [0.005] * 2 + [0.0025] * 2)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_function_of_progress_is_asked_before_every_step(solver):
    asked = []

    def halved(progress):
        asked.append((progress.epoch, progress.step, progress.n_steps, progress.samples_seen))
        return progress.learning_rate_init / 2**progress.epoch

    model = unfitted(learning_rate=halved, solver=solver, batch_size=50, max_iter=3).fit(X, Y)
    assert asked == [(step // 3, step, 9, 120 * (step // 3)) for step in range(9)]
    assert column(model, "learning_rate") == [0.01, 0.005, 0.0025]


def test_partial_fit_follows_a_schedule_of_epochs():
    model = unfitted(learning_rate=Exponential(decay=0.5))
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1])
    assert column(model, "learning_rate") == [0.01, 0.005, 0.0025]


def lines(capsys):
    """What was printed, without the seconds."""
    return [re.sub(r"\d+\.\d\d s$", "", line) for line in capsys.readouterr().out.splitlines()]


@both
@each_solver
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.usefixtures("numpy_engine")  # which prints no line about a first compilation
def test_the_logger_prints_the_lines_of_verbose(kind, solver, early_stopping, capsys):
    settings = {"solver": solver, "early_stopping": early_stopping, "warm_start": True, "max_iter": 3}
    verbose = unfitted(kind, verbose=True, **settings)
    verbose.fit(X, Y).fit(X, Y)
    expected = lines(capsys)
    logged = unfitted(kind, **settings).set_callbacks(EpochLogger())
    logged.fit(X, Y).fit(X, Y)
    assert lines(capsys) == expected
    assert [int(re.match(r"Iteration (\d+), ", line)[1]) for line in expected] == [1, 2, 3, 4, 5, 6]


def test_the_logger_may_skip_epochs_but_not_the_last(capsys):
    unfitted(max_iter=7).set_callbacks(EpochLogger(3)).fit(X, Y)
    assert [int(re.match(r"Iteration (\d+), ", line)[1]) for line in lines(capsys)] == [3, 6, 7]
    unfitted().set_callbacks(EpochLogger(3)).fit(X, Y)
    assert [int(re.match(r"Iteration (\d+), ", line)[1]) for line in lines(capsys)] == [3, 6]


@both
@each_solver
@pytest.mark.parametrize("validated", [False, True])
def test_a_line_has_each_measurement_under_its_name(kind, solver, validated, capsys):
    given = {"X_val": X, "y_val": Y} if validated else {}
    model = unfitted(kind, solver=solver, verbose=True).fit(X, Y, **given)
    labels = {
        r"^Iteration (\d+)": 0,
        r", loss = (\d+\.\d{8}),": 1e-7,
        r", val ([^/ ]+)/": 1e-3,
        r", val [^/ ]+/([^/ ]+),": 1e-3,
        r", lr (\S+),": 1e-3,
        r", \|g\| (\S+),": 1e-2,
    }
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 6
    for line, row in zip(printed, model.history_, strict=True):
        assert len(line) <= 80
        assert re.fullmatch(r".*, \d+\.\d\d s", line)
        values = [value for name, value in row.items() if name != "seconds"]
        for (pattern, rtol), value in zip(labels.items(), values, strict=True):
            found = re.search(pattern, line)
            assert (found is None) is (value is None)
            assert value is None or float(found[1]) == pytest.approx(value, rel=rtol)


@both
def test_a_line_begins_as_that_of_scikit_learn(kind, capsys):
    theirs = {ScratchMLPClassifier: MLPClassifier, ScratchMLPRegressor: MLPRegressor}[kind]
    beginnings = []
    for cls in (kind, theirs):
        cls(max_iter=3, tol=0, random_state=0, verbose=True).fit(X, Y)
        printed = capsys.readouterr().out.splitlines()
        beginnings.append([line[: len("Iteration 1, loss = 0.12345678")] for line in printed])
    assert beginnings[0] == beginnings[1]


@pytest.mark.parametrize("number", [1e-300, -1.23456789e-5, 123456.789, 1.23456789e300, np.nan, -np.inf])
def test_no_line_wraps_at_80_columns(number):
    names = ("loss", "validation_loss", "validation_score", "learning_rate", "gradient_norm", "seconds")
    line = epoch_line({"epoch": 12345, **dict.fromkeys(names, number)})
    assert len(line) <= 80
    assert line.startswith("Iteration 12345, loss = ")
    assert ", val " in line


def test_partial_fit_prints_epochs_that_go_on(capsys):
    model = unfitted(verbose=True)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[0, 1])
    assert [int(re.match(r"Iteration (\d+), ", line)[1]) for line in lines(capsys)] == [1, 2, 3]
