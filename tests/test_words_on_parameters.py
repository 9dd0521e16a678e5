"""What a wrong parameter is answered with: the same words in both families."""

import re

import numpy as np
import pytest
from helpers.families import (
    CLASSIFIERS,
    DROP_INS,
    KINDS,
    TABLES,
    X,
    each_classifier,
    each_drop_in,
    each_kind,
    each_regressor,
    fitted,
    takes_objects,
    targets,
    unfitted,
)
from sklearn.metrics import get_scorer_names

from sknn_scratch import ScratchMLPRegressor
from sknn_scratch.core import Adam, Cosine, Exponential, Huber, LeakyReLU, Uniform

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@each_kind
def test_a_learning_rate_that_is_a_number_is_sent_to_learning_rate_init(kind):
    with pytest.raises(ValueError, match=r"learning_rate.* Got 0.01 .*learning_rate_init=0.01"):
        fitted(kind, learning_rate=0.01)


@pytest.mark.parametrize("kind", [ScratchMLPRegressor, *TABLES])
@pytest.mark.parametrize("sizes", [(32,), [32, 16], 32])
def test_sizes_of_layers_by_position_are_sent_to_their_name(kind, sizes):
    with pytest.raises(ValueError, match=re.escape(f"by name: hidden_layer_sizes={sizes!r}")):
        kind(sizes).fit(X, targets(kind))


CLASSES = {
    "activation": LeakyReLU,
    "learning_rate": Cosine,
    "regularization": Cosine,
    "solver": Adam,
    "loss": Huber,
    "weight_init": Uniform,
}


@pytest.mark.parametrize(
    ("kind", "parameter"), [(kind, name) for kind in KINDS for name in CLASSES if takes_objects(kind, name)]
)
def test_a_class_in_place_of_an_object_is_answered_alike_everywhere(kind, parameter):
    cls = CLASSES[parameter]
    with pytest.raises(
        ValueError, match=rf"{parameter} .* the class {cls.__name__}: write {cls.__name__}\(\)"
    ):
        fitted(kind, **{parameter: cls})


@each_kind
def test_settings_changed_behind_their_back_are_checked_at_fit(kind):
    for parameter, good, setting in [
        ("activation", LeakyReLU(), "negative_slope"),
        ("learning_rate", Exponential(), "decay"),
    ]:
        setattr(good, setting, "nonsense")
        with pytest.raises(ValueError, match=f"'{setting}' of {type(good).__name__}"):
            fitted(kind, **{parameter: good})


@each_kind
def test_unknown_scorers_are_answered_with_those_of_the_task(kind):
    other = "r2" if kind in CLASSIFIERS else "accuracy"
    for scoring in ("nonsense", other, "rand_score"):
        with pytest.raises(ValueError, match=f"'scoring' parameter of {kind.__name__}.*'loss'") as raised:
            fitted(kind, scoring=scoring)
        listed = set(re.findall(r"'(\w+)'", str(raised.value).partition("among")[2])) - {scoring}
        of_classes = {"accuracy", "roc_auc", "f1_macro", "neg_log_loss", "positive_likelihood_ratio"}
        of_numbers = {"r2", "neg_mean_squared_error", "neg_mean_gamma_deviance", "explained_variance"}
        mine, others = (of_classes, of_numbers) if kind in CLASSIFIERS else (of_numbers, of_classes)
        assert mine | {"loss"} <= listed
        assert not others & listed


def test_each_scorer_but_those_of_clusters_belongs_to_one_task():
    options = [kind._parameter_constraints["scoring"][0].options - {"loss"} for kind in DROP_INS]
    clusters = {name for name in get_scorer_names() if name.endswith("_score") and "d2" not in name}
    assert not options[0] & options[1]
    assert options[0] | options[1] | clusters == set(get_scorer_names())
    for drop_in, table in zip(DROP_INS, TABLES, strict=True):
        assert drop_in._parameter_constraints["scoring"] == table._parameter_constraints["scoring"]


@each_regressor
def test_predict_quantiles_says_which_loss_it_needs(kind):
    for model in (unfitted(kind), fitted(kind)):
        assert not hasattr(model, "predict_quantiles")
        with pytest.raises(
            AttributeError, match=r"predict_quantiles.* loss=Quantile\(\[.*got loss=.*fit again"
        ):
            model.predict_quantiles(X)


# What float32 cannot hold


@each_kind
@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_weights_that_float32_cannot_hold_are_refused(kind, value):
    precision = {"dtype": "float32"} if kind in DROP_INS else {}
    with pytest.raises(ValueError, match="sample_weight is too (small or )?large for float32.* one factor"):
        unfitted(kind, **precision).fit(X, targets(kind), np.full(60, value))


@each_classifier
def test_class_weights_that_float32_cannot_hold_are_refused(kind):
    precision = {"dtype": "float32"} if kind in DROP_INS else {}
    with pytest.raises(ValueError, match=r"class_weight={'yes': 1e\+300} makes the sum of all weights inf"):
        fitted(kind, class_weight={"yes": 1e300}, **precision)


@each_drop_in
def test_first_weights_that_are_not_finite_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight_init=Uniform\(.*\) draws weights .* not finite in float32"):
        fitted(kind, weight_init=Uniform(-1e300, 1e300), dtype="float32")
    with pytest.raises(ValueError, match=r"weight_init=.* draws weights .* not finite in float64"):
        fitted(kind, weight_init=lambda fan_in, fan_out, rng: np.full((fan_in, fan_out), np.nan))
    model = fitted(kind, warm_start=True)
    model.coefs_[0][0, 0] = 1e300
    with pytest.raises(ValueError, match=r"coefs_ or intercepts_ hold weights .* not finite in float32"):
        model.set_params(dtype="float32").fit(X, targets(kind))
