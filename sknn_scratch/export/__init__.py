"""Fitted networks for other runtimes: ONNX.

onnx comes with ``python -m pip install ".[onnx]"``; it is imported when a model is written. In reading order:

- ``_graph``: operators and constants as plain values
- ``_activations``, ``_layers``, ``_links``: the network
- ``_inputs``, ``_tables``: columns of a frame, and what RealMLP makes of them
- ``_outputs``, ``_networks``: what a model returns, and both families from data to there
- ``_model``, ``_skl2onnx``: the graph in ONNX's own objects
"""

from sknn_scratch.export._model import to_onnx
from sknn_scratch.export._skl2onnx import register_skl2onnx

__all__ = ["register_skl2onnx", "to_onnx"]
