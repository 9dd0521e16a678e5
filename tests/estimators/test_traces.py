"""Data that are only looked at leave nothing behind on the estimator."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse

from sknn_scratch import ScratchMLPClassifier, explain_step

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((60, 3))
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_predictions_are_sparse_where_the_labels_of_training_were(is_sparse, early_stopping):
    y, y_val = (csr_matrix(LABELS), LABELS) if is_sparse else (LABELS, csr_matrix(LABELS))
    model = ScratchMLPClassifier((4,), max_iter=3, random_state=0, early_stopping=early_stopping)
    model.fit(X, y, X_val=X, y_val=y_val)
    assert issparse(model.predict(X)) is is_sparse
    explain_step(model, X[:5], y_val[:5])
    assert issparse(model.predict(X)) is is_sparse
