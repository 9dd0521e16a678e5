"""Layers, one a file: forward and backward side by side."""

from sknn_scratch.core.layers.activation import Activate
from sknn_scratch.core.layers.base import Layer
from sknn_scratch.core.layers.dense import Dense
from sknn_scratch.core.layers.dropout import Dropout

__all__ = ["Activate", "Dense", "Dropout", "Layer"]
