"""Activations compiled from their formula texts: one pass for f and f', one for the bias or its gradient.

f runs over all numbers as one vector, whatever the number of units, so few are left over after the last full
register. A loop of its own adds the bias first. One loop for both would be no faster, because the numbers
come from the processor's cache, and it would leave numbers over in each row.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.formulas import Formula, functions
from sknn_scratch.compiled.jit import Kernel, inner, kernel, matrix, row
from sknn_scratch.core.activations import ACTIVATIONS, Activation


@inner
def add_bias(z: Any, bias: Any) -> None:
    """z_ij <- z_ij + b_j."""
    for i in range(z.shape[0]):
        z_i = z[i]
        for j in range(bias.size):
            z_i[j] += bias[j]


@inner
def add_columns(delta: Any, bias_gradient: Any) -> None:
    """g_j <- sum_i delta_ij."""
    bias_gradient[:] = 0
    for i in range(delta.shape[0]):
        delta_i = delta[i]
        for j in range(bias_gradient.size):
            bias_gradient[j] += delta_i[j]


_SOURCE = """
def forward_{digest}(constants, all_z, bias, all_slopes):
    {constants}
    if bias.size:
        add_bias(all_z, bias)
    values, slopes = all_z.reshape(all_z.size), all_slopes.reshape(all_slopes.size)
    {apply}

def backward_{digest}(constants, all_a, all_slopes, delta, bias_gradient):
    {constants}
    values, slopes = all_a.reshape(all_a.size), all_slopes.reshape(all_slopes.size)
    deltas = delta.reshape(delta.size)
    {chain}
    if bias_gradient.size:
        add_columns(delta, bias_gradient)
"""

_APPLY = """
for i in range(values.size):
    z = values[i]
    values[i] = {value}
"""

_APPLY_WITH_SLOPE = """
if slopes.size:
    for i in range(values.size):
        z = values[i]
        a = {value}
        slopes[i] = {derivative}
        values[i] = a
else:
    for i in range(values.size):
        z = values[i]
        values[i] = {value}
"""

_CHAIN = """
for i in range(deltas.size):
    a = values[i]
    deltas[i] *= {derivative}
"""

_CHAIN_WITH_SLOPE = """
for i in range(deltas.size):
    deltas[i] *= slopes[i]
"""


def _source(formula: Formula) -> str:
    apply, chain = (_APPLY_WITH_SLOPE, _CHAIN_WITH_SLOPE) if formula.needs_z else (_APPLY, _CHAIN)
    constants = "".join(f"c{k} = constants[{k}]\n" for k in range(len(formula.constants)))
    source = _SOURCE
    for name, part in (("constants", constants), ("apply", apply), ("chain", chain)):
        source = source.replace(f"{{{name}}}", part.strip().replace("\n", "\n    "))
    return source.replace("{value}", formula.value).replace("{derivative}", formula.derivative)


def forward_types(number: types.Type) -> tuple[types.Type, ...]:
    """The types of the arguments of each `forward`."""
    return row(number), matrix(number), row(number), matrix(number)


def backward_types(number: types.Type) -> tuple[types.Type, ...]:
    """The types of the arguments of each `backward`."""
    return row(number), matrix(number), matrix(number), matrix(number), row(number)


@functools.cache
def _kernels(source: str) -> tuple[Kernel, Kernel]:
    """The kernels `forward` and `backward` of an activation, compiled on first use."""
    known = {"add_bias": add_bias, "add_columns": add_columns}
    forward, backward = functions(source, ("forward", "backward"), known)
    return kernel(forward_types)(forward), kernel(backward_types)(backward)


class ActivationKernel(NamedTuple):
    """The compiled form of an activation.

    Parameters
    ----------
    constants : ndarray of shape (n_constants,)
        The numbers in its formula, such as the slope of a leaky ReLU.
    needs_slope : bool
        Whether forward writes f'(z) for backward. If not, backward computes it from a.
    forward, backward : Kernel
        ``forward[dtype](constants, z, bias, slope)`` writes z <- f(z + bias), and slope <- f' unless it has
        the shape (0, 0). ``backward[dtype](constants, a, slope, delta, bias_gradient)`` writes
        delta <- delta f' and bias_gradient <- its column sums. Without a bias, `bias` and
        `bias_gradient` have size 0.
    """

    constants: npt.NDArray[Any]
    needs_slope: bool
    forward: Kernel
    backward: Kernel


def kernel_of(activation: Activation, dtype: npt.DTypeLike) -> ActivationKernel | None:
    """The kernel of an activation, or None if it has no formula texts that can be compiled.

    The texts of a class from outside this package are compared with its methods on first use.

    Parameters
    ----------
    activation : Activation
        From the registry, or a user's own.
    dtype : dtype
        float64 or float32.

    Returns
    -------
    ActivationKernel or None
        Also None if texts and methods differ; then :func:`complaints` says so once.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import LeakyReLU
    >>> kernel = kernel_of(LeakyReLU(0.1), np.float64)
    >>> z, none = np.array([[-1.0, 2.0]]), np.empty((0, 0))
    >>> kernel.forward[np.float64](kernel.constants, z, np.zeros(2), none)
    >>> z
    array([[-0.1,  2. ]])
    """
    formula = Formula.read(activation.formula, activation.derivative)
    if formula is None:
        return None
    kernels = _kernels(_source(formula))
    compiled = ActivationKernel(np.array(formula.constants, dtype), formula.needs_z, *kernels)
    if type(activation) in _REGISTERED or _agrees(activation, formula, compiled):
        return compiled
    return None


_REGISTERED = frozenset(ACTIVATIONS.values())
_AGREED: dict[tuple[type[Activation], Formula, np.dtype[Any]], bool] = {}


def _agrees(activation: Activation, formula: Formula, compiled: ActivationKernel) -> bool:
    """Whether a user's methods compute what the formula texts say; if not, complain once."""
    dtype = compiled.constants.dtype
    key = type(activation), formula, dtype
    if key not in _AGREED:
        z = np.linspace(-5, 5, 41, dtype=dtype)[np.newaxis]
        a, delta = np.empty_like(z), np.ones_like(z)
        with np.errstate(all="ignore"):  # 0 / 0 is NaN in both
            activation.forward(z.copy(), out=a)
            activation.backward(z.copy(), a.copy(), delta)
        own, slope, own_delta = z.copy(), np.empty_like(z), np.ones_like(z)
        none = np.empty(0, dtype)
        slope = slope if compiled.needs_slope else np.empty((0, 0), dtype)
        compiled.forward[dtype](compiled.constants, own, none, slope)
        compiled.backward[dtype](compiled.constants, own, slope, own_delta, none)
        tolerance = 1e4 * np.finfo(dtype).eps
        _AGREED[key] = all(
            np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
            for one, other in ((a, own), (delta, own_delta))
        )
        if not _AGREED[key]:
            _COMPLAINTS.append(
                f"The formula texts of {type(activation).__name__} are not what its methods compute: "
                f"{activation.formula!r} with the derivative {activation.derivative!r}. "
                "NumPy runs its methods."
            )
    return _AGREED[key]


_COMPLAINTS: list[str] = []


def complaints() -> list[str]:
    """Messages to users about the activations read since the last call."""
    messages = _COMPLAINTS.copy()
    _COMPLAINTS.clear()
    return messages
