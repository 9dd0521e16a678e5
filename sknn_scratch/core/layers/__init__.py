"""Layers, one per file: forward and backward side by side."""

from sknn_scratch.core.layers.activation import Activate
from sknn_scratch.core.layers.base import Layer
from sknn_scratch.core.layers.category_embedding import CategoryEmbedding
from sknn_scratch.core.layers.columns import Columns, Part
from sknn_scratch.core.layers.dense import Dense
from sknn_scratch.core.layers.dropout import Dropout
from sknn_scratch.core.layers.neural_tangent import NeuralTangent
from sknn_scratch.core.layers.parametric_activation import ParametricActivate
from sknn_scratch.core.layers.pbld import PBLD
from sknn_scratch.core.layers.scaling import Scale

__all__ = [
    "PBLD",
    "Activate",
    "CategoryEmbedding",
    "Columns",
    "Dense",
    "Dropout",
    "Layer",
    "NeuralTangent",
    "ParametricActivate",
    "Part",
    "Scale",
]
