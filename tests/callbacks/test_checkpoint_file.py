"""Checkpoint's file is whole at any moment, and takes the place of the one before it."""

import os
import stat
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from helpers.checkpoints import (
    BROKEN_OFF,
    Callback,
    X,
    all_of,
    classifier,
    fit_broken_off,
    resume,
    saved,
    stop,
    y,
)
from sklearn.exceptions import NotFittedError

from sknn_scratch.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


# Kills 20 children at random moments; prints how many epochs were in the file after each kill.
KILLS = """
import os, pathlib, random, shutil, signal, sys, time, warnings
import numpy as np
from helpers.checkpoints import Checkpoint, ScratchMLPClassifier, all_of, saved

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
        "SKNN_SCRATCH_ENGINE": "numpy",  # a fit of a known length, without the time to load kernels
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-c", KILLS, str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    n_epochs = [int(number) for number in done.stdout.split()]
    assert len(n_epochs) == 20
    assert sum(0 < number < 30 for number in n_epochs) >= 5  # killed after the first file and before the end
