"""dask and dask-ml, for real: workers are processes. What docs/scale.md says of them is tested here."""

import os
import pathlib
import re
import warnings
from functools import partial
from operator import methodcaller

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("dask.distributed")
wrappers = pytest.importorskip("dask_ml.wrappers")
searches = pytest.importorskip("dask_ml.model_selection")
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "scale.md"

X, Y = load_digits(return_X_y=True)
X, Y = X[:600] / 16, Y[:600]
ORDER = np.argsort(Y, kind="stable")
SORTED_X, SORTED_Y = X[ORDER], Y[ORDER]  # a chunk of 50 rows has at most 3 of the 10 classes
CLASSES = np.arange(10)


@pytest.fixture(scope="module")
def client():
    with pytest.MonkeyPatch.context() as environment:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment.delenv(name, raising=False)  # workers have what dask gives them
        # port 0 is any free one: None would be 8787, with a warning if another cluster has it
        options = {"processes": True, "threads_per_worker": 1, "dashboard_address": ":0"}
        with (
            distributed.LocalCluster(n_workers=2, **options) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


def classifier(**kwargs):
    return ScratchMLPClassifier((16,), **{"batch_size": 20, "random_state": 0, **kwargs})


def regressor(**kwargs):
    return ScratchMLPRegressor(hidden_layer_sizes=(16,), **{"batch_size": 20, "random_state": 0, **kwargs})


def chunked(*arrays, n_rows=50):
    return [da.from_array(array, chunks=(n_rows, *array.shape[1:])) for array in arrays]


def assert_same_model(model, other):
    assert model.loss_curve_ == other.loss_curve_
    for array, expected in zip(
        [*model.coefs_, *model.intercepts_], [*other.coefs_, *other.intercepts_], strict=True
    ):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestJoblibBackend:
    @pytest.mark.parametrize(
        "search",
        [
            GridSearchCV(
                make_pipeline(StandardScaler(), classifier(max_iter=10)),
                {"scratchmlpclassifier__alpha": [1e-4, 1.0, 100.0]},
                cv=3,
            ),
            HalvingGridSearchCV(
                classifier(),
                {"alpha": [1e-4, 1e-2, 1.0, 100.0]},
                resource="max_iter",
                min_resources=2,
                max_resources=8,
                factor=2,
                cv=3,
            ),
        ],
        ids=["GridSearchCV", "HalvingGridSearchCV"],
    )
    def test_a_search_finds_the_same(self, client, search):
        alone = clone(search).fit(X, Y)
        with parallel_config("dask"):
            spread = clone(search).fit(X, Y)
        assert len(set(alone.cv_results_["mean_test_score"])) > 1
        assert spread.best_params_ == alone.best_params_
        for split in range(3):
            name = f"split{split}_test_score"
            np.testing.assert_array_equal(spread.cv_results_[name], alone.cv_results_[name])

    def test_cross_validation_runs_in_the_workers_with_the_same_scores(self, client):
        def process(model, X, y):
            return os.getpid()

        scoring = {"accuracy": "accuracy", "process": process}
        alone = cross_validate(classifier(max_iter=5), X, Y, cv=4, scoring=scoring)
        with parallel_config("dask"):
            spread = cross_validate(classifier(max_iter=5), X, Y, cv=4, scoring=scoring)
        np.testing.assert_array_equal(spread["test_accuracy"], alone["test_accuracy"])
        assert set(alone["test_process"]) == {os.getpid()}
        assert set(spread["test_process"]) <= set(client.run(os.getpid).values())

    def test_a_worker_has_one_blas_thread(self, client):
        def blas_threads(model):
            model.partial_fit(X, Y, classes=CLASSES)
            return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

        assert list(client.run(blas_threads, classifier()).values()) == [{1}, {1}]


class TestIncremental:
    def test_chunks_that_lack_classes_give_the_model_of_the_loop_over_chunks(self, client):
        X_dask, y_dask = chunked(SORTED_X, SORTED_Y)
        incremental = wrappers.Incremental(classifier(), shuffle_blocks=False, scoring="accuracy")
        loop = classifier()
        for _ in range(3):
            incremental.partial_fit(X_dask, y_dask, classes=CLASSES)
            for start in range(0, len(X), 50):
                rows = slice(start, start + 50)
                assert len(set(SORTED_Y[rows])) <= 3
                loop.partial_fit(SORTED_X[rows], SORTED_Y[rows], classes=CLASSES)
        assert_same_model(incremental.estimator_, loop)
        assert incremental.score(X_dask, y_dask) == loop.score(SORTED_X, SORTED_Y)

    def test_regressor(self, client):
        X_dask, y_dask = chunked(X, Y / 10, n_rows=70)  # the last chunk is smaller
        incremental = wrappers.Incremental(regressor(), shuffle_blocks=False)
        loop = regressor()
        for _ in range(2):
            incremental.partial_fit(X_dask, y_dask)
            for start in range(0, len(X), 70):
                loop.partial_fit(X[start : start + 70], Y[start : start + 70] / 10)
        assert_same_model(incremental.estimator_, loop)
        np.testing.assert_allclose(
            incremental.predict(X_dask).compute(), loop.predict(X), rtol=1e-12, atol=1e-12
        )

    def test_data_frames(self, client):
        frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)]).assign(digit=Y)
        frames, pixels = dd.from_pandas(frame, npartitions=4), list(frame.columns[:-1])
        incremental = wrappers.Incremental(classifier(), shuffle_blocks=False)
        incremental.fit(frames[pixels], frames["digit"], classes=CLASSES)
        loop = classifier()
        for part in (frames.get_partition(k).compute() for k in range(4)):
            loop.partial_fit(part[pixels], part["digit"], classes=CLASSES)
        assert_same_model(incremental.estimator_, loop)
        assert incremental.estimator_.feature_names_in_.tolist() == pixels

    def test_chunks_smaller_than_a_batch_warn_once(self):
        X_dask, y_dask = chunked(X[:50], Y[:50], n_rows=10)
        incremental = wrappers.Incremental(classifier(), scoring="accuracy")
        with dask.config.set(scheduler="synchronous"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            incremental.fit(X_dask, y_dask, classes=CLASSES)
        assert incremental.t_ == 50
        assert [str(warning.message).split(",")[0] for warning in caught] == ["Got batch_size=20"]

    def test_errors_reach_the_user(self, client):
        X_dask, y_dask = chunked(X, Y)
        with pytest.raises(ValueError, match="early_stopping=True"):
            wrappers.Incremental(classifier(early_stopping=True)).fit(X_dask, y_dask, classes=CLASSES)

    def test_limits_that_the_page_tells_of(self, client):
        X_dask, y_dask = chunked(X, Y)
        by_columns = wrappers.Incremental(classifier()).fit(X_dask.rechunk((50, 32)), y_dask, classes=CLASSES)
        assert by_columns.n_features_in_ == 32
        targets = np.c_[Y, -Y] / 10
        (targets_dask,) = chunked(targets)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            wrappers.Incremental(regressor()).fit(X_dask, targets_dask)
        model, loop = regressor(), regressor()
        for X_block, y_block in zip(X_dask.blocks, targets_dask.blocks, strict=True):
            model.partial_fit(X_block.compute(), y_block.compute())
        for start in range(0, len(X), 50):
            loop.partial_fit(X[start : start + 50], targets[start : start + 50])
        assert_same_model(model, loop)


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize(
    "settings",
    [{}, {"solver": "sgd", "learning_rate": "invscaling", "dtype": "float32"}],
    ids=["adam", "sgd"],
)
def test_training_goes_on_in_other_processes_to_the_same_bits(client, make, settings):
    classes = {"classes": CLASSES} if make is classifier else {}
    step = methodcaller("partial_fit", X, Y, **classes)
    here, travelling = make(**settings), make(**settings)
    for worker in [*client.scheduler_info()["workers"]] * 2:
        here = step(here)
        travelling = step(travelling)  # in this process, then in that of the worker
        here = step(here)
        travelling = client.submit(step, travelling, workers=worker, pure=False).result()
        assert_same_model(travelling, here)
    assert here.t_ == travelling.t_ == 8 * len(X)


class TestPrediction:
    @pytest.fixture
    def model(self):
        return classifier().partial_fit(X, Y, classes=CLASSES)

    @pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
    def test_parallel_post_fit(self, client, model, method):
        (X_dask,) = chunked(X)
        predicted = getattr(wrappers.ParallelPostFit(model), method)(X_dask)
        expected = getattr(model, method)(X)
        assert predicted.shape == expected.shape
        assert predicted.dtype == expected.dtype
        np.testing.assert_allclose(predicted.compute(), expected, rtol=1e-12, atol=1e-12)

    def test_parts_of_a_data_frame(self, client, model):
        frames = dd.from_pandas(pd.DataFrame(X), npartitions=4)
        np.testing.assert_array_equal(frames.map_partitions(model.predict).compute(), model.predict(X))

    def test_limits_that_the_page_tells_of(self, client, model):
        two = regressor().partial_fit(X, np.c_[Y, -Y] / 10)
        (X_dask,) = chunked(X)
        with pytest.raises(ValueError, match="broadcast"):
            wrappers.ParallelPostFit(two).predict(X_dask).compute()
        by_hand = X_dask.map_blocks(two.predict, chunks=(X_dask.chunks[0], 2), dtype=float)
        np.testing.assert_allclose(by_hand.compute(), two.predict(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "kind",
    [searches.HyperbandSearchCV, partial(searches.IncrementalSearchCV, decay_rate=None)],
    ids=["HyperbandSearchCV", "IncrementalSearchCV"],
)
@pytest.mark.xfail(raises=RuntimeError, reason="of dask-ml; if it works again, docs/scale.md must say so")
def test_searches_of_dask_ml(client, kind):
    kind(SGDClassifier(), {"alpha": np.logspace(-4, 1, 20)}, max_iter=9).fit(*chunked(X, Y), classes=CLASSES)


def test_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in re.findall(r"^```py(?:thon)?\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S):
        exec(compile(block, str(PAGE), "exec"), namespace)
    assert namespace["client"].status == "closed"
    assert namespace["halving"].n_candidates_ == [8, 4, 2, 1]
