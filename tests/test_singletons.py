"""Classes with one row each, of which none can be held out."""

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchRealMLPClassifier


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize("model", [ScratchMLPClassifier(early_stopping=True), ScratchRealMLPClassifier()])
@pytest.mark.parametrize(
    ("n", "shown"), [(200, "'c0', 'c1', 'c10', .*, ... .200 in all"), (2, "'c0', 'c1' .2")]
)
def test_classes_with_one_row_each_are_named(model, n, shown):
    X, y = np.random.RandomState(0).normal(size=(n, 2)), [f"c{i}" for i in range(n)]
    with pytest.raises(
        ValueError, match=f"Each class of y has only one row: {shown}.*X_val and y_val.*regressor"
    ):
        model.fit(X, y)
