"""Pictures of networks and of their training, as scikit-learn Displays.

``from_estimator`` computes and draws, ``plot(ax=None)`` draws again and returns the display, whose ``ax_``
and ``figure_`` are matplotlib's. Wherever a network is expected, a fitted pipeline or search works too.
``python -m pip install ".[plot]"`` installs matplotlib, which is imported only when something is drawn.
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
