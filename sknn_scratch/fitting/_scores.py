"""The score of a validation part by one of scikit-learn's scorers; nan where it is undefined there."""

import inspect
import math
import warnings
from typing import Any

from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import check_scoring

from sknn_scratch._sklearn import score_function_of


class ValidationScorer:
    """Asks a scorer after each epoch.

    An undefined score neither ends a training that does not watch it, nor warns at each epoch: what to make
    of it is decided when training ends.

    Parameters
    ----------
    estimator : estimator
        Whose `scoring` counts.

    Attributes
    ----------
    reason : str
        What the scorer said when it could not compute a score; empty if it said nothing.
    """

    def __init__(self, estimator: Any) -> None:
        self._scorer = check_scoring(estimator, scoring=estimator.scoring)
        parameters = inspect.signature(score_function_of(self._scorer)).parameters
        self._takes_weights = "sample_weight" in parameters
        self.reason = ""

    def __call__(self, model: Any, X: Any, y: Any, weight: Any) -> float:
        """The score of a fitted model, or nan.

        Parameters
        ----------
        model : estimator
            The model.
        X, y, weight : object
            The rows held out, in the form that the user knows; the weights may be None.

        Returns
        -------
        float
            Greater is better.
        """
        weights = {"sample_weight": weight} if weight is not None and self._takes_weights else {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UndefinedMetricWarning)
                return float(self._scorer(model, X, y, **weights))
        except ValueError as error:  # such as neg_log_loss of one class
            self.reason = f" ({error})"
            return math.nan
