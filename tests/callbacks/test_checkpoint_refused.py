"""Files and settings that Checkpoint refuses, and with which words."""

import json
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest
from helpers.checkpoints import (
    BROKEN_OFF,
    MAX_ITER,
    WEIGHT,
    X,
    all_of,
    classifier,
    epochs_printed,
    fit_broken_off,
    regressor,
    resume,
    save,
    saved,
    y,
)
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from sknn_scratch.callbacks import Checkpoint
from sknn_scratch.core import Adam
from sknn_scratch.estimators import _lbfgs, _minibatch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
        assert refused(path, match="not a complete Checkpoint file")

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
            assert refused(path, match="not a complete Checkpoint file")
        with path.open("wb") as file:
            np.save(file, np.arange(3))
        assert refused(path, match="not a complete Checkpoint file")
        with path.open("wb") as file:
            np.savez(file, a=np.arange(3))
        assert refused(path, match="KeyError: 'metadata'")
        save(path, {}, {"format": "another"})
        assert refused(path, match="its format is 'another'")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.npy", "not an array")
        assert refused(path, match="not a complete Checkpoint file")

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
        assert refused(path, match="not a complete Checkpoint file")

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
            ValueError, match="does not hold the state of a fit .*is not a whole number from 0 to"
        ):
            model.fit(X, y)

    @pytest.mark.parametrize("metadata", [[], None, 1, {}, {"version": 1, "made_with": {}}])
    def test_json_of_another_kind(self, path, metadata):
        save(path, saved(path)[0], metadata)
        assert refused(path, match="not a complete Checkpoint file")

    def test_json_too_deep(self, path):
        arrays, _ = saved(path)
        with path.open("wb") as file:
            np.savez(file, metadata=np.frombuffer(b"[" * 100_000, np.uint8), **arrays)
        assert refused(path, match="not a complete Checkpoint file")

    def test_a_fitted_estimator_and_its_generator_stay_as_they_are(self, path):
        generator = np.random.RandomState(7)
        model = classifier(random_state=generator).fit(X, y)
        assert refused(path, model.set_params(alpha=0.3), match="alpha")
        arrays, metadata = saved(path)
        model = classifier(early_stopping=True, random_state=generator)
        fit_broken_off(model, path, (X, y))
        arrays, metadata = saved(path)
        save(path, {**arrays, "order of 0": np.zeros_like(arrays["order of 0"])}, metadata)
        assert refused(path, model, match="rows that are not in the data")


@pytest.fixture
def nobody_trains(monkeypatch):
    monkeypatch.setattr(_minibatch, "train_minibatch", None)
    monkeypatch.setattr(_lbfgs, "train_lbfgs", None)


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
        with pytest.raises(ValueError, match="the state of RandomState\\(PCG64\\).* int as random_state"):
            model.set_callbacks(Checkpoint(tmp_path / "fit")).fit(X, y)

    def test_estimators_around_the_network_are_refused(self, tmp_path):
        search = GridSearchCV(LogisticRegression(), {}).set_callbacks(Checkpoint(tmp_path / "fit"))
        with pytest.raises(
            TypeError, match="not of GridSearchCV: call set_callbacks on the network inside it, such as"
        ):
            search.fit(X, y)
