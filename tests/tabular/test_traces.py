"""Validation data of one's own leave nothing behind on the estimator."""

import numpy as np
import pytest

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor


@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_features_and_classes_are_those_of_the_training_data(kind, table, labels, small):
    X, y = table[0], table[1]
    if kind is ScratchRealMLPClassifier:
        y = np.where(np.arange(300) % 3 == 0, "middle", labels)
    alone = kind(**small, random_state=0).fit(X, y)
    X_val = X[:40].assign(place="not seen", size=X["size"][:40] * 2)
    y_val = y[:40]
    keep = y_val != "middle"  # a class less
    model = kind(**small, random_state=0).fit(X, y, X_val=X_val[keep], y_val=y_val[keep])
    fitted = {name: value for name, value in vars(alone).items() if isinstance(value, np.ndarray | int)}
    assert {"n_features_in_", "feature_names_in_", "n_outputs_"} <= fitted.keys()
    for name in fitted.keys() - {"best_iter_"}:
        np.testing.assert_array_equal(getattr(model, name), fitted[name])
    for other in (X_val.drop(columns="flag"), X_val[X.columns[::-1]]):
        with pytest.raises(ValueError, match="X_val, y_val or .* do not match X and y: The feature names"):
            kind(**small).fit(X, y, X_val=other, y_val=y_val)
