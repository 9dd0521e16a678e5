"""Checkpoint with RealMLP: a fit that was stopped goes on to the same bits, whatever it has members for."""

import json

import numpy as np
import polars as pl
import pytest
from helpers.stop_after import StopAfter
from sklearn.base import clone

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.callbacks import Checkpoint
from sknn_scratch.core import Network

STOPS_EARLY = {"early_stopping": True, "n_iter_no_change": 0, "patience_factor": 1.0, "max_iter": 40}
FITS = {
    "td": (ScratchRealMLPClassifier, {}, 3),
    "td-s": (ScratchRealMLPClassifier, {"preset": "td-s"}, 3),
    "numbers": (ScratchRealMLPRegressor, {}, 3),
    "members": (ScratchRealMLPClassifier, {"n_ens": 2, "n_jobs": 2}, 3),
    "folds": (ScratchRealMLPRegressor, {"n_cv": 2}, 3),
    "a score of probabilities": (ScratchRealMLPClassifier, {"scoring": "neg_log_loss"}, 3),
    "early stopping": (
        ScratchRealMLPClassifier,
        STOPS_EARLY,
        2,
    ),
    "refit, stopped before": (ScratchRealMLPClassifier, {"refit": True, "n_ens": 2}, 3),
    "refit, stopped within": (ScratchRealMLPClassifier, {"refit": True, "n_ens": 2}, 9),
    "refit after early stopping": (
        ScratchRealMLPRegressor,
        {
            "refit": True,
            "early_stopping": True,
            "n_iter_no_change": 0,
            "patience_factor": 1.0,
            "max_iter": 40,
        },
        2,
    ),
}


def fitted(model, X, y):
    """Predictions and the course of training, but for the seconds."""
    predictions = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in model.history_]
    return predictions.tobytes(), repr(history), model.best_iter_, model.n_iter_


@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(name, table, labels, small, tmp_path):
    kind, settings, stopped_at = FITS[name]
    X, y = table[0], labels if kind is ScratchRealMLPClassifier else table[1]
    model = kind(**small | settings, random_state=0)
    expected = clone(model).fit(X, y)
    assert expected.n_iter_ > stopped_at
    broken_off = clone(model).set_callbacks(StopAfter(stopped_at), Checkpoint(tmp_path / "fit"))
    assert broken_off.fit(X, y).n_iter_ == stopped_at
    resumed = clone(model).set_callbacks(Checkpoint(tmp_path / "fit", resume=True)).fit(X, y)
    assert fitted(resumed, X, y) == fitted(expected, X, y)


@pytest.mark.parametrize("name", FITS)
def test_a_complete_fit_is_restored_without_training(name, table, labels, small, tmp_path, monkeypatch):
    kind, settings, _ = FITS[name]
    X, y = table[0], labels if kind is ScratchRealMLPClassifier else table[1]
    model = kind(**small | settings, random_state=0)
    expected = clone(model).set_callbacks(Checkpoint(tmp_path / "fit", every=100)).fit(X, y)
    monkeypatch.setattr(Network, "loss_and_gradient", None)  # whoever trains fails
    resumed = clone(model).set_callbacks(Checkpoint(tmp_path / "fit", resume=True)).fit(X, y)
    assert fitted(resumed, X, y) == fitted(expected, X, y)


def test_validation_data_of_the_users_own(table, labels, small, tmp_path):
    X, y, X_val, y_val = table[0][:200], labels[:200], table[0][200:], labels[200:]
    model = ScratchRealMLPClassifier(**small, random_state=0)
    expected = clone(model).fit(X, y, X_val=X_val, y_val=y_val)
    broken_off = clone(model).set_callbacks(StopAfter(3), Checkpoint(tmp_path / "fit"))
    broken_off.fit(X, y, X_val=X_val, y_val=y_val)
    resumed = clone(model).set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
    assert fitted(resumed.fit(X, y, X_val=X_val, y_val=y_val), X, y) == fitted(expected, X, y)
    for other in (X_val[1:], X_val.assign(size=2 * X_val["size"])):
        with pytest.raises(ValueError, match="different validation data\\. Repeat"):
            resumed.fit(X, y, X_val=other, y_val=y_val[-len(other) :])


def test_other_data_and_parameters_are_refused(table, labels, small, tmp_path):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0).set_callbacks(Checkpoint(tmp_path / "fit"))
    model.fit(X, labels)
    model.set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
    other = {name: X.copy() for name in ("units", "digit", "level")}
    other["units"]["size"] *= 2.0
    other["digit"].loc[0, "size"] *= 1 + 1e-12
    other["level"]["kind"] = X["kind"].replace({"a": "z"})
    for changed in other.values():
        with pytest.raises(ValueError, match="different X\\. Repeat"):
            model.fit(changed, labels)
    with pytest.raises(ValueError, match="different y\\. Repeat"):
        model.fit(X, labels[::-1])
    with pytest.raises(ValueError, match="different sample_weight\\. Repeat"):
        model.fit(X, labels, sample_weight=np.linspace(1, 2, 300))
    with pytest.raises(ValueError, match="different dropout\\. Repeat"):
        model.set_params(dropout=0.5).fit(X, labels)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_a_number_as_random_state_it_is_refused(random_state, table, labels, small, tmp_path):
    model = ScratchRealMLPClassifier(**small, random_state=random_state)
    with pytest.raises(ValueError, match="Checkpoint cannot save random_state=.*Use an int"):
        model.set_callbacks(Checkpoint(tmp_path / "fit")).fit(table[0], labels)


def test_the_number_of_threads_may_differ_and_so_may_the_kind_of_frame(table, labels, small, tmp_path):
    X = pl.DataFrame({name: table[0][name].to_list() for name in table[0]}, nan_to_null=True)
    small |= {"n_cv": 2}
    model = ScratchRealMLPClassifier(**small, n_ens=2, refit=True, random_state=0)
    expected = clone(model).fit(X, labels)
    broken_off = clone(model).set_params(n_jobs=1).set_callbacks(StopAfter(9), Checkpoint(tmp_path / "fit"))
    broken_off.fit(table[0], labels)
    resumed = clone(model).set_params(n_jobs=2).set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
    assert fitted(resumed.fit(X, labels), X, labels) == fitted(expected, X, labels)


def more_members(members):
    return members + members[:1]


TAMPERED = {
    "none": lambda members: [],
    "too few": lambda members: members[:1],
    "too many": more_members,
    "one has run out of patience": lambda members: [members[0], {**members[1], "best_epoch": 1}],
    "other epochs than in the table": lambda members: [{**member, "n_epochs": 1} for member in members],
    "no best epoch": lambda members: [{**member, "best_epoch": 0} for member in members],
    "all rows before the folds are done": lambda members: members * 2,
}


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("what", TAMPERED)
def test_members_that_do_not_agree_are_refused(what, refit, table, labels, small, tmp_path):
    path = tmp_path / "fit"
    model = ScratchRealMLPClassifier(**small | STOPS_EARLY, n_ens=2, refit=refit, random_state=0)
    clone(model).set_callbacks(StopAfter(2), Checkpoint(path)).fit(table[0], labels)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    metadata = json.loads(arrays["metadata"].tobytes())
    members = TAMPERED[what](metadata["state"]["members"])
    metadata["state"]["members"] = members
    for i in range(2, len(members)):
        arrays |= {f"{name[:-1]}{i}": array for name, array in arrays.items() if name.endswith(f"of {i - 2}")}
    arrays["metadata"] = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(ValueError, match="does not hold the state of a fit"):
        clone(model).set_callbacks(Checkpoint(path, resume=True)).fit(table[0], labels)
