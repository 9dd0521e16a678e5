"""Pictures of networks and of their training, in scikit-learn's Display contract.

``from_estimator`` computes and draws, ``plot(ax=None)`` draws again and returns the display, whose ``ax_``
and ``figure_`` are matplotlib's. A fitted pipeline or search will do wherever a network is asked for.
matplotlib comes with ``python -m pip install ".[plot]"``; it is imported when something is drawn.
"""

from sknn_scratch.plotting._activation import ActivationDisplay
from sknn_scratch.plotting._animation import TrainingAnimation
from sknn_scratch.plotting._loss_curve import LossCurveDisplay
from sknn_scratch.plotting._network import NetworkDisplay
from sknn_scratch.plotting._weights import WeightsDisplay

__all__ = [
    "ActivationDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "TrainingAnimation",
    "WeightsDisplay",
]
