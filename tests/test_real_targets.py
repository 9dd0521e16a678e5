"""Each loss of regression, in both families and at full defaults, on real rows and targets of any size.

At defaults but `scale_target=True` for the losses that scikit-learn has too, which are not scaled by default.
"""

import numpy as np
import pytest
from helpers.real_targets import constant_prediction, in_units_of, loss_of, parts, targets
from scipy.stats import norm

from sknn_scratch import ScratchMLPRegressor, ScratchRealMLPRegressor
from sknn_scratch.core import LOSSES, GaussianNLL, Quantile

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

INTERVAL = [0.05, 0.5, 0.95]
LOSSES_OF_NUMBERS = {
    name: Quantile(INTERVAL) if name == "quantile" else loss()
    for name, loss in LOSSES.items()
    if loss().link_inverse not in ("logistic", "softmax")
}
FULL = {"drop-in": set(), "table": set(targets()[1]) - {"diabetes"}}
"""The targets that are left to the full run: a table of 331 rows takes seconds."""

FAMILIES = {"drop-in": ScratchMLPRegressor, "table": ScratchRealMLPRegressor}


def cases():
    for family, kind in FAMILIES.items():
        for target, y in targets()[1].items():
            for name, loss in LOSSES_OF_NUMBERS.items():
                if all(value in loss.targets for value in (y.min(), y.max())):
                    marks = [pytest.mark.full] if target in FULL[family] else []
                    yield pytest.param(kind, name, target, id=f"{family}-{name}-{target}", marks=marks)


@pytest.mark.parametrize(("kind", "name", "target"), list(cases()))
def test_a_loss_at_its_defaults_beats_the_constant_on_held_out_rows(kind, name, target):
    X, X_test, y, y_test = parts(target)
    loss = LOSSES_OF_NUMBERS[name]
    settings = {}
    if kind is ScratchMLPRegressor and name in ("squared_error", "poisson"):
        settings["scale_target"] = True
    model = kind(loss=loss, random_state=0, **settings).fit(X, y)

    if isinstance(loss, GaussianNLL):
        mean, std = model.predict(X_test, return_std=True)
        predictions, half = np.column_stack([mean, std]), norm.ppf(INTERVAL[-1]) * std
        low, high = mean - half, mean + half
        assert std.max() <= np.ptp(y)
    elif isinstance(loss, Quantile):
        predictions = model.predict_quantiles(X_test)
        low, high = predictions[:, 0], predictions[:, -1]
    else:
        predictions, low = model.predict(X_test)[:, np.newaxis], None
    assert np.isfinite(predictions).all()

    of_model = in_units_of(loss, y.std())
    reached = loss_of(of_model, predictions, y_test)
    of_constant = loss_of(of_model, constant_prediction(of_model, y, len(y_test)), y_test)
    if isinstance(loss, GaussianNLL):  # the logarithm of a density has no zero: the density counts
        assert reached <= of_constant + np.log(1.05)
    else:
        assert reached <= 1.05 * of_constant
    if low is not None:
        covered = ((low <= y_test) & (y_test <= high)).mean()
        assert 0.82 <= covered <= 0.97
