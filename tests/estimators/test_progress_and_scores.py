"""scikit-learn's ProgressBar and ScoringMonitor on the estimators."""

import re
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from helpers.recorder import (
    MAX_ITER,
    SOLVERS,
    TARGET,
    X_REGRESSION,
    Reaction,
    Recorder,
    X,
    classifier,
    fitted_without_callbacks,
    stop,
    too_few_epochs,
    y,
)
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPRegressor


@too_few_epochs
class TestProgressBar:
    # what a bar says of the network inside another estimator
    INNER = r"\| ScratchMLP\w+ - fit"

    @pytest.fixture(autouse=True)
    def wide_terminal(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "160")

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_alone_it_advances_with_each_epoch(self, solver, capsys):
        from sklearn.callback._progressbar import RichProgressMonitor

        progress, on_task_end = [], RichProgressMonitor._on_task_end

        def recording(monitor, task_info):
            on_task_end(monitor, task_info)
            progress.append(monitor.root_rich_task.progress)

        with mock.patch.object(RichProgressMonitor, "_on_task_end", recording):
            classifier(solver).set_callbacks(ProgressBar()).fit(X, y)
        assert progress == pytest.approx([epoch / MAX_ITER for epoch in range(1, MAX_ITER + 1)] + [1.0])
        assert re.search(r"ScratchMLPClassifier - fit .*100%", capsys.readouterr().out)

    def test_bar_is_full_when_training_ends_early(self, capsys):
        classifier().set_callbacks(ProgressBar(), Reaction("end", 2, stop)).fit(X, y)
        assert re.search(r"ScratchMLPClassifier - fit .*100%", capsys.readouterr().out)

    def test_on_a_pipeline_it_shows_the_network(self, capsys):
        pipeline = make_pipeline(StandardScaler(), classifier())
        pipeline.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        shown = capsys.readouterr().out
        assert "Pipeline - fit" in shown
        assert len(re.findall(self.INNER, shown)) == 1

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_on_a_search_it_shows_the_network_of_each_fit(self, n_jobs, capsys):
        search = GridSearchCV(classifier(), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=n_jobs)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        shown = capsys.readouterr().out
        assert "GridSearchCV - fit" in shown
        assert len(re.findall(self.INNER, shown)) == 2 * 2 + 1  # candidates x folds, and the refit
        assert "100%" in shown
        assert not re.search(r"\b\d{1,2}%", shown)

    def test_epochs_inside_a_pipeline_inside_a_search_are_counted(self):
        from sklearn.callback._progressbar import RichProgressMonitor

        n_epochs, on_task_end = [], RichProgressMonitor._on_task_end

        def recording(monitor, task_info):
            if len(task_info["path"]) == depth_of_epochs:
                n_epochs.append(task_info["path"])
            on_task_end(monitor, task_info)

        recorder = PropagatedRecorder()
        search = GridSearchCV(make_pipeline(StandardScaler(), classifier()), {}, cv=2, refit=False)
        clone(search).set_callbacks(recorder).fit(X, y)
        paths = [call["path"] for call in recorder.of("end", "epoch")]
        assert len(paths) == len(set(paths)) == 2 * MAX_ITER
        depth_of_epochs = len(paths[0])
        with mock.patch.object(RichProgressMonitor, "_on_task_end", recording):
            search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        assert sorted(map(tuple, n_epochs)) == sorted(paths)


class PropagatedRecorder(Recorder):
    max_propagation_depth = None


@too_few_epochs
class TestScoringMonitor:
    @staticmethod
    def scores_of_epochs(monitor, name):
        return [row[name] for row in monitor.get_logs().data if row["task_name"] == "epoch"]

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_one_score_per_epoch(self, solver):
        monitor = ScoringMonitor(scoring="accuracy")
        estimator = classifier(solver).set_callbacks(monitor).fit(X, y)
        scores = self.scores_of_epochs(monitor, "accuracy")
        assert len(scores) == estimator.n_iter_ == MAX_ITER
        for epoch in (1, MAX_ITER):
            expected = fitted_without_callbacks(estimator, max_iter=epoch)
            assert scores[epoch - 1] == accuracy_score(y, expected.predict(X))

    def test_the_score_is_weighted_like_the_loss(self):
        monitor = ScoringMonitor(scoring="neg_mean_squared_error")
        weight = np.where(X_REGRESSION[:, 0] > 0, 0.1, 3.0)
        estimator = ScratchMLPRegressor(max_iter=3, random_state=0).set_callbacks(monitor)
        estimator.fit(X_REGRESSION, TARGET, sample_weight=weight)
        error = (estimator.predict(X_REGRESSION) - TARGET) ** 2
        last = self.scores_of_epochs(monitor, "neg_mean_squared_error")[-1]
        assert last == pytest.approx(-np.average(error, weights=weight))

    def test_frames_give_no_warning_of_feature_names(self):
        monitor = ScoringMonitor(scoring="accuracy")
        frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
        estimator = classifier().set_callbacks(monitor).fit(frame, np.where(y, "yes", "no"))
        assert self.scores_of_epochs(monitor, "accuracy")[-1] == estimator.score(
            frame, np.where(y, "yes", "no")
        )
