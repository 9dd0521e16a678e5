"""Intervals for real prices: about 90 of 100 that the network has not seen lie in its 90 % interval.

Needs california_housing.csv.gz (20,640 districts of California in the census of 1990, with the prices in the
column ``target``) in the folder that the environment variable SKNN_DATA names.
"""

import os
import pathlib

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import ScratchMLPRegressor
from sknn_scratch.core import Quantile

FILE = pathlib.Path(os.environ.get("SKNN_DATA", ".")) / "california_housing.csv.gz"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="SKNN_DATA names no folder with the data")


@pytest.fixture(scope="module")
def housing():
    frame = pd.read_csv(FILE)
    return frame, frame.pop("target").to_numpy()


def interval(model, X, loss):
    """The central 90 % that a fitted pipeline predicts."""
    if loss == "gaussian_nll":
        mean, std = model.predict(X, return_std=True)
        return mean - 1.645 * std, mean + 1.645 * std
    return model[-1].predict_quantiles(model[:-1].transform(X)).T[[0, -1]]


@pytest.mark.parametrize("loss", [Quantile([0.05, 0.5, 0.95]), "gaussian_nll"], ids=["quantiles", "normal"])
def test_ninety_per_cent_of_unseen_prices_lie_in_the_interval(housing, loss):
    frame, prices = housing
    prepare = make_column_transformer(
        (OneHotEncoder(), ["ocean_proximity"]),
        remainder=make_pipeline(SimpleImputer(), StandardScaler()),
    )
    coverages, widths = [], []
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(frame, prices, random_state=seed)
        network = ScratchMLPRegressor(
            loss,
            hidden_layer_sizes=(64, 64),
            scale_target=True,
            early_stopping=True,
            dtype="float32",
            random_state=seed,
        )
        low, high = interval(make_pipeline(prepare, network).fit(X_train, y_train), X_test, loss)
        coverages.append(np.mean((low <= y_test) & (y_test <= high)))
        widths.append(np.median(high - low))
    assert np.mean(coverages) == pytest.approx(0.9, abs=0.03)
    # and they are narrower than the interval that knows nothing of a district
    assert max(widths) < 0.6 * np.diff(np.quantile(prices, [0.05, 0.95]))[0]
