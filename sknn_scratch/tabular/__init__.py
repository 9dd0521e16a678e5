"""RealMLP for tables, on the same core as the two drop-in estimators, which never import it."""

from sknn_scratch.tabular._classifier import ScratchRealMLPClassifier
from sknn_scratch.tabular._preprocessing import TabularPreprocessor
from sknn_scratch.tabular._regressor import ScratchRealMLPRegressor

__all__ = ["ScratchRealMLPClassifier", "ScratchRealMLPRegressor", "TabularPreprocessor"]
