"""Checkpoint: a fit that ended early goes on to the same bits, from a file that is whole at any moment."""

import dataclasses
import functools
import json
import os
import pathlib
import pickle
import stat
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.callbacks import Checkpoint, EpochLogger
from sknn_scratch.callbacks._fingerprint import fingerprint
from sknn_scratch.core import (
    Adam,
    AdamW,
    BinaryLogLoss,
    Cosine,
    CustomSchedule,
    FromFunction,
    Plateau,
    RMSprop,
)
from sknn_scratch.estimators import _runs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MAX_ITER, BROKEN_OFF = 12, 5
X, y = make_classification(90, 6, n_informative=4, flip_y=0.1, random_state=0)
WEIGHT = np.linspace(0.5, 2, len(y))
TARGETS = np.column_stack([X[:, 0] - X[:, 1], X[:, 2] ** 2])


def classifier(**params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "batch_size": 20, "random_state": 0, **params}
    return ScratchMLPClassifier(**params)


def regressor(**params):
    return ScratchMLPRegressor(hidden_layer_sizes=(5,), max_iter=MAX_ITER, random_state=0, **params)


class Callback:
    """Does something at the end of an epoch; what it returns is the answer of the hook."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == self.epoch - 1:
            return self.action()
        return None


def contents(value):
    """All that a value is made of, to the bit; but for the clock's part."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tolist() if value.dtype.hasobject else value.tobytes()
    if isinstance(value, np.random.RandomState):
        return contents(value.get_state())
    if isinstance(value, list | tuple):
        return [contents(part) for part in value]
    if isinstance(value, dict):
        return {name: contents(part) for name, part in value.items() if name != "seconds"}
    if dataclasses.is_dataclass(value):
        return type(value), contents(vars(value))
    return repr(value)


def all_of(estimator):
    state = {name: value for name, value in vars(estimator).items() if "callback" not in name}
    return contents(state)


def stop():
    return True


def fit_broken_off(model, path, data, at=BROKEN_OFF, **fit_params):
    model.set_callbacks(Callback(at, stop), Checkpoint(path)).fit(*data, **fit_params)
    assert model.n_iter_ == at


def resume(model, path, data=(X, y), **fit_params):
    return model.set_callbacks(Checkpoint(path, resume=True)).fit(*data, **fit_params)


def gaussians(fan_in, fan_out, rng):
    return rng.normal(scale=0.3, size=(fan_in, fan_out))


FITS = {
    "adam": (classifier(), {}),
    "sgd": (classifier(solver="sgd", learning_rate_init=0.1), {}),
    "adamw in order": (classifier(solver=AdamW(weight_decay=0.1), shuffle=False), {}),
    "rmsprop, clipped": (classifier(solver=RMSprop(momentum=0.5, max_grad_norm=0.1)), {}),
    "early stopping": (classifier(early_stopping=True, learning_rate_init=0.1), {}),
    "early stopping in order, weighted": (
        classifier(early_stopping=True, shuffle=False, solver="sgd"),
        {"sample_weight": WEIGHT},
    ),
    "early stopping by a scorer": (classifier(early_stopping=True, scoring="neg_log_loss"), {}),
    "float32": (classifier(dtype="float32", early_stopping=True), {"sample_weight": WEIGHT}),
    "validation data": (classifier(), {"X_val": X[:30], "y_val": y[:30]}),
    "early stopping with validation data": (
        classifier(early_stopping=True),
        {"X_val": X[:30], "y_val": y[:30], "sample_weight_val": WEIGHT[:30]},
    ),
    "adaptive": (
        classifier(
            solver="sgd", learning_rate="adaptive", learning_rate_init=0.5, tol=1.0, n_iter_no_change=2
        ),
        {},
    ),
    "invscaling": (classifier(solver="sgd", learning_rate="invscaling", learning_rate_init=0.5), {}),
    "cosine": (classifier(learning_rate=Cosine(warmup=0.3)), {}),
    "plateau": (classifier(learning_rate=Plateau(0.5), tol=1.0, n_iter_no_change=1), {}),
    "a schedule of one's own": (classifier(learning_rate=lambda progress: 0.1 / (1 + progress.step)), {}),
    "an odd number of Gaussians": (classifier(hidden_layer_sizes=(3,), weight_init=gaussians), {}),
    "dropout": (classifier(dropout=0.3, early_stopping=True), {}),
    "dropout in float32, in order": (classifier(dropout=0.3, dtype="float32", shuffle=False), {}),
    "no hidden layer": (classifier(hidden_layer_sizes=()), {}),
    "balanced classes": (classifier(class_weight="balanced", fit_intercept=False), {}),
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(name, tmp_path):
    model, fit_params = FITS[name]
    expected = clone(model).fit(X, y, **fit_params)
    assert expected.n_iter_ == MAX_ITER  # or nothing would be left to do
    fit_broken_off(clone(model), tmp_path / "fit", (X, y), **fit_params)
    resumed = resume(clone(model), tmp_path / "fit", **fit_params)
    assert all_of(resumed) == all_of(expected)
    if not model.early_stopping and model.class_weight is None:  # then partial_fit goes on the same way, too
        assert all_of(resumed.partial_fit(X, y)) == all_of(expected.partial_fit(X, y))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (classifier(), (csr_array(X), y)),
        (classifier(early_stopping=True), (np.asfortranarray(X), np.where(y, "yes", "no").astype(object))),
        (regressor(early_stopping=True, scoring="loss"), (X, TARGETS)),
        (regressor(loss="poisson"), (X.astype(np.float32), abs(TARGETS[:, 0]))),
    ],
)
def test_data_of_any_kind(model, data, tmp_path):
    expected = clone(model).fit(*data)
    fit_broken_off(clone(model), tmp_path / "fit", data)
    assert all_of(resume(clone(model), tmp_path / "fit", data)) == all_of(expected)


@pytest.mark.parametrize("early_stopping", [False, True])
class TestRandomNumbersFromElsewhere:
    def test_none_goes_on_with_the_numbers_of_the_file(self, early_stopping, tmp_path):
        model = classifier(random_state=None, early_stopping=early_stopping)
        np.random.seed(3)
        expected = clone(model).fit(X, y)
        drawn = np.random.uniform()
        np.random.seed(3)
        fit_broken_off(clone(model), tmp_path / "fit", (X, y))
        np.random.seed(4)
        assert all_of(resume(clone(model), tmp_path / "fit")) == all_of(expected)
        assert np.random.uniform() == drawn

    def test_so_does_a_generator(self, early_stopping, tmp_path):
        def model():
            return classifier(random_state=np.random.RandomState(3), early_stopping=early_stopping)

        expected = model().fit(X, y)
        broken_off = model()
        fit_broken_off(broken_off, tmp_path / "fit", (X, y))
        assert all_of(resume(broken_off, tmp_path / "fit")) == all_of(expected)  # its numbers are drawn
        assert all_of(resume(model(), tmp_path / "fit")) == all_of(expected)  # and here they are not


@pytest.mark.parametrize("evaluation", [1, 23])
def test_ctrl_c_in_mid_epoch_leaves_the_last_whole_epoch(evaluation, tmp_path, monkeypatch):
    path, evaluate, n_evaluations = tmp_path / "fit", BinaryLogLoss.value_and_gradient, 0

    def interrupted(*args, **kwargs):
        nonlocal n_evaluations
        n_evaluations += 1
        if n_evaluations == evaluation:
            raise KeyboardInterrupt
        return evaluate(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(BinaryLogLoss, "value_and_gradient", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            classifier().set_callbacks(Checkpoint(path)).fit(X, y)
    assert path.exists() is (evaluation > 5)  # batches in an epoch
    assert all_of(resume(classifier(), path)) == all_of(classifier().fit(X, y))


def test_ctrl_c_while_the_file_is_written_leaves_the_file_before_it(tmp_path, monkeypatch):
    fsync, n_files = os.fsync, 0

    def interrupted(file):
        nonlocal n_files
        n_files += 1
        if n_files == 4:  # the rehearsal, two epochs, and now
            raise KeyboardInterrupt
        return fsync(file)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            classifier().set_callbacks(Checkpoint(tmp_path / "fit")).fit(X, y)
    assert os.listdir(tmp_path) == ["fit"]
    assert len(saved(tmp_path / "fit")[0]["epochs"]) == 2
    assert all_of(resume(classifier(), tmp_path / "fit")) == all_of(classifier().fit(X, y))


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
class TestTheFileItReplaces:
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
    def test_its_mode_is_kept(self, mode, tmp_path):
        path = tmp_path / "fit"
        path.touch()
        path.chmod(mode)
        fit_broken_off(classifier(), path, (X, y))
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert len(saved(path)[0]["epochs"]) == BROKEN_OFF

    def test_a_new_file_has_the_usual_mode(self, tmp_path):
        (tmp_path / "other").touch()
        fit_broken_off(classifier(), tmp_path / "fit", (X, y))
        assert (tmp_path / "fit").stat().st_mode == (tmp_path / "other").stat().st_mode

    @pytest.mark.parametrize("is_there", [False, True])
    def test_through_a_symbolic_link_its_target_is_written(self, is_there, tmp_path):
        (tmp_path / "folder").mkdir()
        link, target = tmp_path / "link", tmp_path / "folder" / "fit"
        link.symlink_to(target)
        if is_there:
            fit_broken_off(classifier(), target, (X, y), at=2)
            target.chmod(0o600)
        model = classifier().set_callbacks(Callback(BROKEN_OFF, stop), Checkpoint(link, resume=True))
        model.fit(X, y)
        assert link.is_symlink()
        assert not target.is_symlink()
        assert sorted(os.listdir(tmp_path)) == ["folder", "link"]
        assert os.listdir(tmp_path / "folder") == ["fit"]
        assert len(saved(target)[0]["epochs"]) == model.n_iter_ == BROKEN_OFF + 2 * is_there
        if is_there:
            assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert all_of(resume(classifier(), link)) == all_of(classifier().fit(X, y))


def test_several_pieces(tmp_path):
    for epoch in (2, 1, 4):
        model = classifier(early_stopping=True)
        model.set_callbacks(Checkpoint(tmp_path / "fit", resume=True), Callback(epoch, stop)).fit(X, y)
    assert model.n_iter_ == 2 + 1 + 4
    expected = classifier(early_stopping=True).fit(X, y)
    assert all_of(resume(classifier(early_stopping=True), tmp_path / "fit")) == all_of(expected)


@pytest.mark.parametrize(
    "params", [{}, {"tol": 1.0, "n_iter_no_change": 3}, {"early_stopping": True, "tol": 1.0}]
)
def test_a_complete_fit_is_restored_without_training(params, tmp_path, monkeypatch):
    params = {"n_iter_no_change": 4, **params}
    expected = classifier(**params).set_callbacks(Checkpoint(tmp_path / "fit", every=100)).fit(X, y)
    monkeypatch.setattr(BinaryLogLoss, "value_and_gradient", None)  # whoever trains fails
    assert all_of(resume(classifier(**params), tmp_path / "fit")) == all_of(expected)


def saved(path):
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop("metadata").tobytes())


def save(path, arrays, metadata):
    with open(path, "wb") as file:
        np.savez(file, metadata=np.frombuffer(json.dumps(metadata).encode(), np.uint8), **arrays)


@pytest.fixture
def path(tmp_path):
    """The file of a fit that was stopped, in a folder of its own."""
    (tmp_path / "folder").mkdir()
    fit_broken_off(classifier(early_stopping=True), tmp_path / "folder" / "fit", (X, y))
    return tmp_path / "folder" / "fit"


class TestTheFile:
    @pytest.mark.parametrize(("every", "n_epochs"), [(1, 11), (2, 10), (4, 8), (np.int64(6), 6)])
    def test_is_written_after_every_so_many_epochs(self, every, n_epochs, tmp_path):
        callbacks = Checkpoint(tmp_path / "fit", every), Callback(11, stop)
        classifier().set_callbacks(*callbacks).fit(X, y)
        arrays, _ = saved(tmp_path / "fit")
        assert len(arrays["epochs"]) == n_epochs

    def test_holds_arrays_and_json_only(self, path):
        arrays, metadata = saved(path)  # nothing needs pickle
        assert {array.dtype.kind for array in arrays.values()} <= set("fiu")
        assert metadata["format"] == "sknn_scratch checkpoint"
        with zipfile.ZipFile(path) as archive:
            assert all(name.endswith(".npy") for name in archive.namelist())

    def test_is_the_only_one_left(self, path):
        assert os.listdir(path.parent) == ["fit"]

    def test_has_the_rights_of_files_that_the_user_makes(self, path):
        other = path.with_name("other")
        other.touch()
        assert path.stat().st_mode == other.stat().st_mode

    def test_takes_the_place_of_an_older_one(self, path):
        fit_broken_off(classifier(alpha=0.5), path, (X, y), at=2)
        assert all_of(resume(classifier(alpha=0.5), path)) == all_of(classifier(alpha=0.5).fit(X, y))

    def test_stays_when_the_next_cannot_be_written(self, path, monkeypatch):
        before, model = path.read_bytes(), classifier(early_stopping=True)

        def disk_is_full(file, **arrays):
            file.write(b"PK")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "savez", disk_is_full)
        with pytest.raises(OSError, match="No space left"):
            resume(model, path)
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == ["fit"]
        with pytest.raises(NotFittedError):
            model.predict(X)


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(self.path),)


def object_array(value):
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


def refused(path, model=None, data=(X, y), match=None, **fit_params):
    """Whether a fit refuses the file, says why, and leaves the file and the estimator alone."""
    model = classifier(early_stopping=True) if model is None else model
    model.set_callbacks()
    before, file_before = all_of(model), path.read_bytes()
    with pytest.raises(ValueError, match=match) as refusal:
        resume(model, path, data, **fit_params)
    assert all_of(model) == before
    assert path.read_bytes() == file_before
    message = str(refusal.value)
    assert repr(path) in message
    assert "resume=False" in message
    return True


def epochs_printed(capsys):
    lines = capsys.readouterr().out.splitlines()
    return [int(line.split()[1].rstrip(",")) for line in lines if line.startswith("Iteration")]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("params", "names"),
        [
            ({"alpha": 0.5}, "alpha"),
            ({"max_iter": 13, "tol": 0.5}, "max_iter, tol"),
            ({"hidden_layer_sizes": (6,)}, "hidden_layer_sizes"),
            ({"solver": Adam(beta_1=0.8)}, "solver"),
            ({"random_state": 1}, "random_state"),
            ({"learning_rate": lambda progress: 0.1}, "learning_rate"),
            ({"class_weight": {0: 1, 1: 2}}, "class_weight, sample_weight"),
            ({"dtype": "float32"}, "dtype, X, y"),
        ],
    )
    def test_other_parameters(self, path, params, names):
        model = classifier(early_stopping=True).set_params(**params)
        assert refused(path, model, match=f"different {names}\\. Repeat")

    @pytest.mark.parametrize(
        ("data", "fit_params", "names"),
        [
            ((X + 1e-9, y), {}, "X"),
            ((csr_array(X), y), {}, "X"),
            ((X[:-1], y[:-1]), {}, "X, y"),
            ((X, 1 - y), {}, "y"),
            ((X, y + 1), {}, "labels in y"),
            ((X, y), {"sample_weight": WEIGHT}, "sample_weight"),
            ((X, y), {"X_val": X, "y_val": y}, "validation data"),
        ],
    )
    def test_other_data(self, path, data, fit_params, names):
        assert refused(path, data=data, match=f"different {names}\\. Repeat", **fit_params)

    def test_another_estimator(self, path):
        assert refused(path, regressor(), (X, y.astype(float)), match="different estimator, ")

    def test_verbose_may_differ(self, path, capsys):
        expected = classifier(early_stopping=True).fit(X, y)
        resumed = resume(classifier(early_stopping=True, verbose=True), path).set_params(verbose=False)
        assert all_of(resumed) == all_of(expected)
        assert epochs_printed(capsys) == list(range(BROKEN_OFF + 1, MAX_ITER + 1))

    @pytest.mark.parametrize("version", [2, 4])
    def test_another_version(self, path, version):
        arrays, metadata = saved(path)
        save(path, arrays, {"format": metadata["format"], "version": version})
        assert refused(path, match=f"has version {version} of the format.* reads version 3")

    @pytest.mark.parametrize("sevenths", range(7))
    def test_a_truncated_file(self, path, sevenths):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * sevenths // 7])
        assert refused(path, match="not a whole file of Checkpoint")

    def test_damaged_bytes_never_change_the_result(self, path):
        whole, rng = path.read_bytes(), np.random.RandomState(0)
        expected = all_of(classifier(early_stopping=True).fit(X, y))
        n_refused = 0
        for position in rng.randint(len(whole), size=40):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << rng.randint(8)
            path.write_bytes(damaged)
            try:
                resumed = resume(classifier(early_stopping=True), path)
            except ValueError:
                n_refused += 1
            else:  # dates in the archive say nothing
                assert all_of(resumed) == expected
        assert n_refused > 30

    def test_foreign_files(self, path):
        for content in (b"", b"text", np.random.RandomState(0).bytes(5000), pickle.dumps({"a": 1})):
            path.write_bytes(content)
            assert refused(path, match="not a whole file of Checkpoint")
        with path.open("wb") as file:
            np.save(file, np.arange(3))
        assert refused(path, match="not a whole file of Checkpoint")
        with path.open("wb") as file:
            np.savez(file, a=np.arange(3))
        assert refused(path, match="KeyError: 'metadata'")
        save(path, {}, {"format": "another"})
        assert refused(path, match="its format is 'another'")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.npy", "not an array")
        assert refused(path, match="not a whole file of Checkpoint")

    def test_nothing_is_unpickled(self, path):
        mark = path.with_name("mark")
        pickle.loads(pickle.dumps(Bomb(mark)))
        mark.unlink()  # without the exception it would be there
        arrays, metadata = saved(path)
        path.write_bytes(pickle.dumps(Bomb(mark)))
        assert refused(path)
        with path.open("wb") as file:
            np.save(file, object_array(Bomb(mark)), allow_pickle=True)
        assert refused(path)
        for name in (*arrays, "another"):
            save(path, {**arrays, name: object_array(Bomb(mark))}, metadata)
            assert refused(path, match="Object arrays cannot be loaded")
        with path.open("wb") as file:
            np.savez(file, metadata=object_array(Bomb(mark)), **arrays)
        assert refused(path, match="Object arrays cannot be loaded")
        assert not mark.exists()

    def test_a_small_file_cannot_fill_the_memory(self, path):
        arrays, metadata = saved(path)
        text = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
        with path.open("wb") as file:
            np.savez_compressed(file, metadata=text, **arrays, zeros=np.zeros(100_000))
        assert refused(path, match="it is compressed")
        with zipfile.ZipFile(path, "w") as archive, archive.open("metadata.npy", "w") as member:
            header = {"descr": "|u1", "fortran_order": False, "shape": (10**15,)}
            np.lib.format.write_array_header_1_0(member, header)
        assert refused(path, match="not a whole file of Checkpoint")

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("parameters of 0", lambda array: array[:-1]),
            ("parameters of 0", lambda array: array.astype(np.float32)),
            ("best weights of 0", lambda array: array[np.newaxis]),
            ("average m of 0", lambda array: array.view(np.int64)),
            ("order of 0", np.zeros_like),
            ("order of 0", lambda array: array + 10**6),
            ("order of 0", lambda array: array - 10**6),
            ("order of 0", lambda array: array.astype(float)),
            ("held_out", lambda array: array[::-1] + 1),
            ("held_out", lambda array: array[:1]),
            ("epochs", lambda array: array[:0]),
            ("epochs", lambda array: np.repeat(array, 3, axis=0)),
            ("epochs", lambda array: array[:, :2]),
            ("epochs", lambda array: array[0, 0]),
            ("random key of 0", lambda array: array[:5]),
        ],
    )
    def test_arrays_of_other_shapes_or_rows(self, path, name, change):
        arrays, metadata = saved(path)
        save(path, {**arrays, name: np.array(change(arrays[name]))}, metadata)
        assert refused(path, match="does not hold the state of a fit")
        save(path, {kept: array for kept, array in arrays.items() if kept != name}, metadata)
        assert refused(path, match="does not hold the state of a fit")

    @pytest.mark.parametrize("value", [-1, 10**9, 10**400, 0.5, "1", None, [1], {}])
    @pytest.mark.parametrize(
        "name", ["n_steps", "plateaus", "best_epoch", "n_epochs", "n_stagnant", "pos", "has_gauss"]
    )
    def test_numbers_out_of_range(self, path, name, value):
        arrays, metadata = saved(path)
        numbers = metadata["state"]["members"][0]
        (numbers if name in numbers else numbers["random"])[name] = value
        save(path, arrays, metadata)
        model = classifier(early_stopping=True).set_callbacks(Checkpoint(path, resume=True))
        with pytest.raises(
            ValueError, match="does not hold the state of a fit .*is no whole number from 0 to"
        ):
            model.fit(X, y)

    @pytest.mark.parametrize("metadata", [[], None, 1, {}, {"version": 1, "made_with": {}}])
    def test_json_of_another_kind(self, path, metadata):
        save(path, saved(path)[0], metadata)
        assert refused(path, match="not a whole file of Checkpoint")

    def test_json_too_deep(self, path):
        arrays, _ = saved(path)
        with path.open("wb") as file:
            np.savez(file, metadata=np.frombuffer(b"[" * 100_000, np.uint8), **arrays)
        assert refused(path, match="not a whole file of Checkpoint")

    def test_a_fitted_estimator_and_its_generator_stay_as_they_are(self, path):
        generator = np.random.RandomState(7)
        model = classifier(random_state=generator).fit(X, y)
        assert refused(path, model.set_params(alpha=0.3), match="alpha")
        arrays, metadata = saved(path)
        model = classifier(early_stopping=True, random_state=generator)
        fit_broken_off(model, path, (X, y))
        arrays, metadata = saved(path)
        save(path, {**arrays, "order of 0": np.zeros_like(arrays["order of 0"])}, metadata)
        assert refused(path, model, match="rows that are not those of the data")


@pytest.fixture
def nobody_trains(monkeypatch):
    monkeypatch.setattr(_runs, "train_minibatch", None)
    monkeypatch.setattr(_runs, "train_lbfgs", None)


@pytest.mark.usefixtures("nobody_trains")
class TestBeforeTraining:
    @pytest.mark.parametrize("resume", [False, True])
    @pytest.mark.parametrize("name", ["", "no such folder/fit", "file/fit", "x" * 300])
    def test_path_must_be_writable(self, tmp_path, name, resume):
        (tmp_path / "file").touch()
        model = classifier().set_callbacks(Checkpoint(str(tmp_path / name), resume=resume))
        with pytest.raises(
            ValueError, match="^path='.*' (is a directory; .* name of a file|cannot be written)"
        ):
            model.fit(X, y)
        assert os.listdir(tmp_path) == ["file"]
        with pytest.raises(NotFittedError):
            model.predict(X)

    @pytest.mark.parametrize("every", [0, -1, 1.5, "1", None])
    def test_every_must_be_a_number_of_epochs(self, tmp_path, every):
        with pytest.raises(ValueError, match="every=.* must be a number of epochs >= 1"):
            classifier().set_callbacks(Checkpoint(tmp_path / "fit", every)).fit(X, y)

    def test_lbfgs_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="Checkpoint cannot save solver='lbfgs'"):
            classifier(solver="lbfgs").set_callbacks(Checkpoint(tmp_path / "fit")).fit(X, y)

    def test_other_kinds_of_random_numbers_are_refused(self, tmp_path):
        model = classifier(random_state=np.random.RandomState(np.random.PCG64(0)))
        with pytest.raises(
            ValueError, match="random numbers of RandomState\\(PCG64\\).* number as random_state"
        ):
            model.set_callbacks(Checkpoint(tmp_path / "fit")).fit(X, y)

    def test_estimators_around_the_network_are_refused(self, tmp_path):
        search = GridSearchCV(LogisticRegression(), {}).set_callbacks(Checkpoint(tmp_path / "fit"))
        with pytest.raises(TypeError, match="not of GridSearchCV: call set_callbacks of the estimator"):
            search.fit(X, y)


def test_warm_start(tmp_path):
    model = classifier(warm_start=True)
    fit_broken_off(model, tmp_path / "fit", (X, y))  # the first fit is one from scratch
    with pytest.raises(ValueError, match="warm_start=True goes on with the fitted estimator"):
        resume(model, tmp_path / "fit")
    expected = clone(model).set_callbacks().fit(X, y)
    assert all_of(resume(clone(model), tmp_path / "fit")) == all_of(expected)


class TestInOtherEstimators:
    def test_pipeline(self, tmp_path):
        def pipeline():
            return make_pipeline(StandardScaler(), classifier(early_stopping=True))

        expected, model = pipeline().fit(X, y), pipeline()
        model[-1].set_callbacks(Checkpoint(tmp_path / "fit"), Callback(BROKEN_OFF, stop))
        assert model.fit(X, y)[-1].n_iter_ == BROKEN_OFF
        model = pipeline()
        model[-1].set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
        assert all_of(model.fit(X, y)[-1]) == all_of(expected[-1])

    def test_clones_may_write_at_the_same_time(self, tmp_path):
        checkpoint = Checkpoint(tmp_path / "fit")
        search = GridSearchCV(classifier().set_callbacks(checkpoint), {"alpha": [0.1, 0.2]}, cv=3)
        from joblib import parallel_backend

        with parallel_backend("threading", n_jobs=4):
            search.fit(X, y)
        assert os.listdir(tmp_path) == ["fit"]
        best = classifier(**search.best_params_)
        assert all_of(resume(best, tmp_path / "fit")) == all_of(clone(best).fit(X, y))
        assert checkpoint._runs == {}

    def test_no_clone_goes_on_from_the_file_of_another(self, tmp_path):
        model = classifier().set_callbacks(Checkpoint(tmp_path / "fit", resume=True))
        with pytest.raises(ValueError, match="was saved by a fit with different X, y"):
            cross_validate(model, X, y, cv=3, error_score="raise")


class TestWithOtherCallbacks:
    def test_epochs_go_on_counting(self, path, capsys):
        model = classifier(early_stopping=True).set_callbacks(Checkpoint(path, resume=True), EpochLogger(4))
        model.fit(X, y)
        assert epochs_printed(capsys) == [8, 12]
        assert [row["epoch"] for row in model.history_] == list(range(1, MAX_ITER + 1))

    def test_the_order_of_callbacks_does_not_matter(self, tmp_path):
        for name, after in (("one", False), ("other", True)):
            callbacks = [Callback(3, stop), Checkpoint(tmp_path / name)]
            classifier().set_callbacks(*reversed(callbacks) if after else callbacks).fit(X, y)
            assert len(saved(tmp_path / name)[0]["epochs"]) == 3

    def test_data_are_not_pickled_with_the_model(self, tmp_path):
        model = classifier().set_callbacks(Checkpoint(tmp_path / "fit"))
        pickled = []
        model._skl_callbacks.append(
            Callback(2, lambda: pickled.append(pickle.dumps(model._skl_callbacks[0])))
        )
        model.fit(X, y)
        assert len(pickled[0]) < X.nbytes
        assert pickle.loads(pickled[0]).path == tmp_path / "fit"


def test_partial_fit_saves_nothing(tmp_path):
    classifier().set_callbacks(Checkpoint(tmp_path / "fit")).partial_fit(X, y, classes=[0, 1])
    assert os.listdir(tmp_path) == []


# Kills 20 children at random moments; prints how many epochs were in the file after each kill.
KILLS = """
import os, pathlib, random, shutil, signal, sys, time, warnings
import numpy as np
from test_checkpoint import Checkpoint, ScratchMLPClassifier, all_of, saved

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
path, copy = folder / "fit", folder / "copy"
rng = np.random.RandomState(0)
X, y = rng.normal(size=(60, 20)), rng.randint(2, size=60)

def fit(path):
    model = ScratchMLPClassifier((400,), max_iter=30, early_stopping=True, tol=0, n_iter_no_change=30,
                                 dropout=0.2, random_state=0)
    return model.set_callbacks(Checkpoint(path, resume=True)).fit(X, y)

start = time.perf_counter()
expected = all_of(fit(folder / "whole"))
duration = time.perf_counter() - start
random.seed(0)
found = []
while len(found) < 20:
    child = os.fork()
    if child == 0:
        fit(path)
        os._exit(0)
    time.sleep(random.uniform(0, duration))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found.append(len(saved(path)[0]["epochs"]) if path.exists() else 0)
    if path.exists():
        shutil.copy(path, copy)
        assert all_of(fit(copy)) == expected
    if found[-1] == 30:
        path.unlink()
print(*found)
print(len(list(folder.glob("*.tmp"))), file=sys.stderr)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).parent), *filter(None, sys.path)]),
    }
    command = [sys.executable, "-c", KILLS, str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    n_epochs = [int(number) for number in done.stdout.split()]
    assert len(n_epochs) == 20
    assert sum(0 < number < 30 for number in n_epochs) >= 5  # killed after the first file and before the end


def made(factor):
    return lambda progress: factor


FINGERPRINTS = f"""
import sys
sys.path[:0] = {[str(pathlib.Path(__file__).parent)]!r}
import test_checkpoint
print(*map(test_checkpoint.fingerprint, test_checkpoint.different_values()))
"""


def different_values():
    return [
        *(None, True, 1, 1.0, 2.0, "1", b"1", (1,), [1], {1}, {"a": 1}, {"a": 2}, {"a", "b", "c", "d"}),
        *(
            np.zeros(3),
            np.zeros(3, dtype=int),
            np.arange(3),
            np.arange(3.0),
            np.arange(3.0)[:, np.newaxis],
            np.array(["a"]),
            np.array(["a"], object),
        ),
        *(
            csr_array(np.eye(3)),
            csr_array(2 * np.eye(3)),
            np.random.RandomState(0),
            np.add,
            np.sin,
            np.mean,
            len,
        ),
        *(made(1), made(2), lambda p: 0.1, lambda p: 0.2, lambda p, q=1: q, lambda p, q=2: q, gaussians),
        *(Adam(), Adam(beta_1=0.8), AdamW(), CustomSchedule(made(1)), FromFunction(gaussians), Adam, AdamW),
        *(functools.partial(gaussians, fan_in=1), functools.partial(gaussians, fan_in=2)),
        *(make_scorer(accuracy_score), make_scorer(accuracy_score, normalize=False)),
    ]


class TestFingerprint:
    def test_differs_where_values_do(self):
        values = different_values()
        assert len({fingerprint(value) for value in values}) == len(values)

    def test_is_the_same_in_every_process(self):
        printed = set()
        for seed in "12":
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
            command = [sys.executable, "-c", FINGERPRINTS]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            printed.add(done.stdout)
        assert len(printed) == 1
        assert len(printed.pop().split()) == len(different_values())

    def test_does_not_depend_on_memory(self):
        array = np.random.RandomState(0).normal(size=(3000, 200))
        assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(array.copy())
        assert fingerprint(array) == fingerprint(array.view(np.memmap))
        assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
        assert fingerprint(np.float64(0.1)) == fingerprint(0.1)
        other = array.copy()
        other[-1, -1] += 1e-9
        assert fingerprint(other) != fingerprint(array)

    def test_what_holds_itself(self):
        def recursive(progress):
            return recursive(progress)

        values = [1]
        values.append(values)
        assert len({fingerprint(recursive), fingerprint(values), fingerprint([1, [1]])}) == 3
