"""A user's script: what type checkers say of it is held by check.py, and that it is true by running it."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
    check_gradients,
    explain_step,
)
from sknn_scratch.callbacks import Checkpoint, EpochLogger
from sknn_scratch.core import AdamW, Cosine, LeakyReLU, LogLoss, Quantile, StepExplanation, Uniform
from sknn_scratch.plotting import LossCurveDisplay, NetworkDisplay, TrainingAnimation, WeightsDisplay
from sknn_scratch.tabular import TabularPreprocessor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FloatArray = npt.NDArray[np.floating[Any]]

RNG = np.random.RandomState(0)
X: npt.NDArray[np.float64] = RNG.normal(size=(40, 2))
LABELS = np.where(X[:, 0] > 0, "yes", "no")
FRAME = pd.DataFrame({"size": X[:, 0], "kind": LABELS})


def test_a_classifier():
    model = ScratchMLPClassifier(
        (8, 4),
        [LeakyReLU(0.1), "tanh"],
        solver=AdamW(weight_decay=0.1),
        batch_size=32,
        learning_rate=Cosine(warmup=0.1),
        loss=LogLoss(label_smoothing=0.1),
        weight_init=Uniform(-1, 1),
        dropout=[0.1, 0.0],
        class_weight={"yes": 2, "no": 1},
        n_iter_no_change=np.inf,
        early_stopping=True,
        max_iter=3,
        random_state=np.random.RandomState(0),
    )
    assert_type(model.fit(csr_matrix(X), LABELS), ScratchMLPClassifier)
    assert_type(model.fit(X.tolist(), LABELS.tolist(), X_val=X, y_val=LABELS), ScratchMLPClassifier)
    assert_type(model.coefs_, list[FloatArray])
    assert model.coefs_[0].shape == (2, 8)
    assert_type(model.history_[0]["loss"], float)
    assert_type(model.history_[0]["validation_score"], float | None)
    assert_type(model.best_iter_, int | None)
    assert_type(model.score(X, LABELS), float)
    assert model.predict_proba(X)[:, 1].shape == model.predict(X).shape
    assert_type(model.set_params(early_stopping=False), ScratchMLPClassifier)
    assert_type(model.partial_fit(X, LABELS, classes=["no", "yes"]), ScratchMLPClassifier)
    assert_type(model.transform(X), FloatArray)
    assert_type(explain_step(model, X[:2], LABELS[:2]), StepExplanation)
    assert_type(check_gradients(model, X[:2], LABELS[:2]), dict[str, float])


def test_a_regressor():
    model = ScratchMLPRegressor("gaussian_nll", hidden_layer_sizes=4, max_iter=2, scale_target=True)
    assert_type(model.fit(X, X[:, 0]), ScratchMLPRegressor)
    assert_type(model.predict(X), FloatArray)
    mean, deviation = model.predict(X, return_std=True)
    assert_type(deviation, FloatArray)
    assert mean.shape == deviation.shape
    model = ScratchMLPRegressor(loss=Quantile([0.1, 0.9]), max_iter=2).fit(X, X[:, 0])
    assert_type(model.predict_quantiles(X), FloatArray)
    assert_type(model.loss_curve_, list[float])


def test_estimators_for_tables():
    classifier = ScratchRealMLPClassifier(
        "td-s", hidden_layer_sizes=[4], n_cv=2, max_iter=2, activation="mish"
    )
    assert_type(classifier.fit(FRAME, LABELS), ScratchRealMLPClassifier)
    assert_type(classifier.predict_proba(FRAME), FloatArray)
    assert classifier.classes_.tolist() == ["no", "yes"]
    regressor = ScratchRealMLPRegressor(loss="gaussian_nll", hidden_layer_sizes=4, batch_size=32, max_iter=2)
    mean, deviation = regressor.fit(FRAME, X[:, 0]).predict(FRAME, return_std=True)
    assert_type(mean, FloatArray)
    assert mean.shape == deviation.shape
    assert_type(regressor.history_[0]["seconds"], float)
    preprocessor = TabularPreprocessor(categorical_features=["kind"]).fit(FRAME)
    assert_type(preprocessor, TabularPreprocessor)
    assert_type(preprocessor.transform(FRAME), npt.NDArray[np.float32])


def test_in_a_pipeline_and_a_search():
    network = ScratchMLPClassifier(4, solver=AdamW(), max_iter=2)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"scratchmlpclassifier__solver__weight_decay": [0.0, 0.1]},
        cv=2,
    ).fit(X, LABELS)
    explanation = explain_step(search, X[:2], LABELS[:2])
    assert explanation.layers[0].weights.shape == (2, 4)


def test_callbacks_and_displays(tmp_path):
    recording = TrainingAnimation(every=[1, 2])
    model = ScratchMLPClassifier((4,), max_iter=2)
    model.set_callbacks(EpochLogger(every=5), Checkpoint(tmp_path / "fit.npz"), recording).fit(X, LABELS)
    assert_type(recording.epochs_, list[int])
    display = LossCurveDisplay.from_estimator(model, name="small", color="red")
    assert_type(display, LossCurveDisplay)
    NetworkDisplay.from_estimator(model, ax=display.ax_, class_names=["no", "yes"]).plot()
    WeightsDisplay.from_estimator(model, X, LABELS).figure_.savefig(tmp_path / "weights.png")
    recording.plot(frame=0).to_png(tmp_path)
