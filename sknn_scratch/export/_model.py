"""`to_onnx`: a fitted estimator as an ONNX model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sknn_scratch
from sknn_scratch.export._graph import ML, ML_OPSET, OPSET, Graph, Node, number_of
from sknn_scratch.export._inputs import Inputs
from sknn_scratch.export._networks import mlp, realmlp
from sknn_scratch.export._outputs import Outputs
from sknn_scratch.fitting._columns import is_frame
from sknn_scratch.fitting._unwrap import MLPS, is_mlp, unwrap
from sknn_scratch.tabular._base import BaseRealMLP
from sknn_scratch.tabular._columns import checked_table

if TYPE_CHECKING:
    import onnx

    from sknn_scratch._typing import Data

IR_VERSION = 8
"""Version of the file format (2021), which runtimes of the opset know."""


def to_onnx(estimator: Any, X: Data) -> onnx.ModelProto:
    """Convert a fitted network to an ONNX model, which runs without Python.

    The graph is written here, operator by operator, with opset 18 and ``ai.onnx.ml`` 2. It computes in the
    precision of `predict`: in float32 if both the network and `X` are float32, otherwise in float64.

    An array of numbers is one input, ``X``. A frame has one input of shape (n_rows, 1) for each column, named
    as the column and of its type: float, double, int64, bool or string. A missing number is NaN, a missing
    string any string that is no level, such as the empty one.

    A classifier returns ``label`` and ``probabilities``, for several columns of classes ``label_0``,
    ``probabilities_0``, ``label_1`` and so on. A regressor returns ``variable`` of shape (n_rows, n_targets),
    with ``std`` for ``loss='gaussian_nll'`` and ``quantiles`` for several quantiles.

    Parameters
    ----------
    estimator : ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPClassifier or ScratchRealMLPRegressor
        Fitted, or a search that has found one. For a pipeline, use skl2onnx with :func:`register_skl2onnx`.
    X : frame or array-like of shape (n_samples, n_features)
        Data like those to predict from. Names and types of the columns count, values do not.

    Returns
    -------
    onnx.ModelProto
        The model; ``model.SerializeToString()`` gives the bytes of a file.

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If `estimator` is no such network.
    ValueError
        If the network has an activation or a link of your own, or a column has levels of several types.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.export import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchMLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
    >>> [output.name for output in to_onnx(model, X).graph.output]  # doctest: +SKIP
    ['label', 'probabilities']
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(f'{error}. Install onnx with: python -m pip install ".[onnx]"') from error
    front, network = unwrap(estimator, _is_network, _NAMES)
    if front is not None:
        raise ValueError(
            "to_onnx() converts networks, got a Pipeline. Call register_skl2onnx() and convert the pipeline "
            "with skl2onnx.to_onnx()."
        )
    if is_mlp(network):
        checked = network._checked(X)
        graph = Graph(np.result_type(checked, network.coefs_[0]))
        is_typed = is_frame(X) or getattr(getattr(X, "dtype", None), "kind", "O") in "biuf"
        inputs = Inputs(graph, X if is_typed else checked)
        outputs = mlp(graph, network, inputs.numbers(np.arange(inputs.n_features)))
    else:
        graph = Graph(np.float64)
        inputs = Inputs(graph, checked_table(network, X, reset=False).X)
        outputs = realmlp(graph, network, inputs)
    return _written(graph, inputs, outputs, type(network).__name__)


_NAMES = f"{MLPS}, a ScratchRealMLPClassifier, a ScratchRealMLPRegressor"


def _is_network(estimator: Any) -> bool:
    return is_mlp(estimator) or isinstance(estimator, BaseRealMLP)


def _written(graph: Graph, inputs: Inputs, outputs: Outputs, name: str) -> onnx.ModelProto:
    """The model in ONNX's own objects."""
    from onnx import helper, numpy_helper

    taken = [name for name in inputs.types if name in outputs]
    if taken:
        raise ValueError(f"Columns {taken} of X have names of outputs: rename them, and fit again.")
    for output, result in outputs.items():
        graph.nodes.append(Node("Identity", "", [result.tensor], [output], {}))
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node(
                    node.operator, node.inputs, node.outputs, domain=node.domain, **node.attributes
                )
                for node in graph.nodes
            ],
            name,
            [
                helper.make_tensor_value_info(input_, number_of(dtype), [None, n_columns])
                for input_, (dtype, n_columns) in inputs.types.items()
            ],
            [
                helper.make_tensor_value_info(output, number_of(result.dtype), result.shape)
                for output, result in outputs.items()
            ],
            [numpy_helper.from_array(array, constant) for constant, array in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="sknn_scratch",
        producer_version=sknn_scratch.__version__,
    )
