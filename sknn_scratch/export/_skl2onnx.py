"""The drop-in estimators for skl2onnx, which converts pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sknn_scratch.estimators import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.export._graph import OPSET, Graph, Node, number_of
from sknn_scratch.export._networks import mlp


def register_skl2onnx() -> None:
    """Teach skl2onnx to convert ScratchMLPClassifier and ScratchMLPRegressor, alone or in pipelines.

    The converted model returns what `predict` and `predict_proba` return; standard deviations and several
    quantiles need :func:`to_onnx`, and so does RealMLP, which takes columns of several types.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> from sknn_scratch.export import register_skl2onnx
    >>> register_skl2onnx()  # doctest: +SKIP
    >>> skl2onnx.to_onnx(pipeline, X[:1].astype("float32"), options={"zipmap": False})  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(f'{error}. Install skl2onnx with: python -m pip install ".[onnx]"') from error

    for kind, options in (
        (ScratchMLPClassifier, {"zipmap": [True, False, "columns"]}),
        (ScratchMLPRegressor, None),
    ):
        update_registered_converter(kind, f"Sknn{kind.__name__}", _set_shapes, _convert, options=options)


def _is_float64(operator: Any) -> bool:
    from skl2onnx.common.data_types import DoubleTensorType

    return any(isinstance(variable.type, DoubleTensorType) for variable in operator.inputs)


def _set_shapes(operator: Any) -> None:
    """Set types and shapes of the outputs."""
    from skl2onnx.common import data_types

    estimator = operator.raw_operator
    number = data_types.DoubleTensorType if _is_float64(operator) else data_types.FloatTensorType
    if not is_classifier(estimator):
        loss = estimator._fitted_network().loss
        operator.outputs[0].type = number([None, estimator.n_outputs_ // loss.raw_per_target])
        return
    if isinstance(estimator.classes_, list):
        raise ValueError("skl2onnx knows one label: export several columns of classes with to_onnx().")
    n_classes = len(estimator.classes_)
    if estimator._is_multilabel():
        label = data_types.Int64TensorType([None, n_classes])
    else:
        kinds = {"i": data_types.Int64TensorType, "u": data_types.Int64TensorType, "f": number}
        kinds["b"] = data_types.BooleanTensorType
        label = kinds.get(estimator.classes_.dtype.kind, data_types.StringTensorType)([None])
    operator.outputs[0].type, operator.outputs[1].type = label, number([None, n_classes])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a network."""
    from onnx.defs import get_schema

    estimator, is_float64 = operator.raw_operator, _is_float64(operator)
    wanted = np.float64 if is_float64 else np.float32
    graph = Graph(
        np.result_type(*estimator.coefs_, wanted), lambda: scope.get_unique_variable_name("sknn_scratch")
    )
    columns = [graph.cast(variable.full_name, graph.dtype) for variable in operator.inputs]
    results = mlp(graph, estimator, graph.side_by_side(columns))
    for name, output in zip(
        ("label", "probabilities") if "label" in results else ("variable",), operator.outputs, strict=True
    ):
        result = results[name]
        tensor = graph.cast(result.tensor, wanted) if result.dtype.kind == "f" else result.tensor
        graph.nodes.append(Node("Identity", "", [tensor], [output.full_name], {}))
    for name, array in graph.constants.items():
        container.add_initializer(name, number_of(array.dtype), array.shape, array.ravel().tolist())
    for node in graph.nodes:
        container.add_node(
            node.operator,
            node.inputs,
            node.outputs,
            op_domain=node.domain,
            op_version=get_schema(node.operator, OPSET, node.domain).since_version,
            name=scope.get_unique_operator_name(node.operator),
            **node.attributes,
        )
