"""The scikit-learn estimators."""

from sknn_scratch.estimators._classifier import ScratchMLPClassifier
from sknn_scratch.estimators._explain import check_gradients, explain_step
from sknn_scratch.estimators._regressor import ScratchMLPRegressor

__all__ = ["ScratchMLPClassifier", "ScratchMLPRegressor", "check_gradients", "explain_step"]
