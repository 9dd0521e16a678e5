"""The methods that are compared: functions that make an estimator of a kind, given a seed.

A method whose package is not installed raises an ImportError.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor


def sklearn_mlp(classify, seed):
    """scikit-learn's network with scaled inputs, and scaled targets."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        (StandardScaler(), make_column_selector(dtype_exclude="category")),
    )
    if classify:
        return make_pipeline(columns, MLPClassifier(random_state=seed))
    model = make_pipeline(columns, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def boosting(classify, seed):
    """Gradient boosting as it comes."""
    kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=seed)


def ours(preset, **settings):
    """What makes our estimator of a preset."""

    def make(classify, seed):
        kind = ScratchRealMLPClassifier if classify else ScratchRealMLPRegressor
        return kind(preset, random_state=seed, **settings)

    return make


def lightgbm(classify, seed):
    """LightGBM as it comes."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMRegressor, LGBMClassifier)[classify](random_state=seed, n_jobs=1, verbosity=-1)


class WithEncodedLabels(ClassifierMixin, BaseEstimator):
    """A classifier that wants numbers for labels."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.classes_, labels = np.unique(y, return_inverse=True)
        self.model.fit(X, labels)
        return self

    def predict(self, X):
        return self.classes_[self.model.predict(X)]

    def predict_proba(self, X):
        return self.model.predict_proba(X)


def xgboost(classify, seed):
    """XGBoost as it comes."""
    from xgboost import XGBClassifier, XGBRegressor

    settings = {"random_state": seed, "n_jobs": 1, "enable_categorical": True}
    return WithEncodedLabels(XGBClassifier(**settings)) if classify else XGBRegressor(**settings)


class WithCategories(BaseEstimator):
    """CatBoost, with the categorical columns of the frame named."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.model.fit(X, y, cat_features=list(X.select_dtypes("category").columns))
        if hasattr(self.model, "predict_proba"):
            self.classes_, self.predict_proba = self.model.classes_, self.model.predict_proba
        return self

    def predict(self, X):
        return self.model.predict(X)


def catboost(classify, seed):
    """CatBoost as it comes."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = (CatBoostRegressor, CatBoostClassifier)[classify]
    return WithCategories(kind(random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False))


def reference(simple):
    """The reference implementation; an ImportError if it is not installed."""

    def make(classify, seed):
        from pytabkit import (
            RealMLP_TD_Classifier,
            RealMLP_TD_Regressor,
            RealMLP_TD_S_Classifier,
            RealMLP_TD_S_Regressor,
        )

        full = (RealMLP_TD_Regressor, RealMLP_TD_Classifier)[classify]
        kind = (RealMLP_TD_S_Regressor, RealMLP_TD_S_Classifier)[classify] if simple else full
        return kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)

    return make


def tabm(classify, seed):
    """TabM with the defaults of pytabkit."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = (TabM_D_Regressor, TabM_D_Classifier)[classify]
    return kind(device="cpu", random_state=seed, n_threads=1, verbosity=0)


METHODS = {
    "mlp_skl": sklearn_mlp,
    "hgb": boosting,
    "realmlp_td_s": ours("td-s"),
    "realmlp_td": ours("td"),
    "realmlp_td_numpy": ours("td"),
    "realmlp_td_s_refit": ours("td-s", refit=True),
    "realmlp_td_refit": ours("td", refit=True),
    "realmlp_fast": ours("fast"),
    "realmlp_best": ours("best"),
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "catboost": catboost,
    "reference_td_s": reference(simple=True),
    "reference_td": reference(simple=False),
    "tabm": tabm,
}
TITLES = {
    "mlp_skl": "scikit-learn's MLP",
    "hgb": "HistGradientBoosting",
    "realmlp_td_s": "td-s",
    "realmlp_td": "td",
    "realmlp_td_numpy": "td on NumPy",
    "realmlp_td_s_refit": "td-s, refit",
    "realmlp_td_refit": "td, refit",
    "realmlp_fast": "fast",
    "realmlp_best": "best",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "reference_td_s": "reference td-s",
    "reference_td": "reference td",
    "tabm": "TabM",
}
