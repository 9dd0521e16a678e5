"""The text of a formula becomes the source of compiled functions.

The `formula` and the `derivative` of an activation are texts such as ``"z if z > 0 else 2 * (exp(z) - 1)"``.
The reader accepts a list of operations and functions, and evaluates nothing else. Numbers become constants,
which are data: ``"where(z > c0, z, c1 * expm1(z))"`` with the constants (0, 2). So functions that differ in
numbers share one compilation. Four patterns become functions that are faster, or that avoid overflow and
cancellation: log(1 + exp(u)) is softplus(u), tanh of it is tanh_softplus(u), log(1 + u) is log1p(u), and
exp(u) - 1 is expm1(u), also as 1 - exp(u). A division by a number is a product with its reciprocal. Powers up
to 4 are products.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import math
import operator
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sknn_scratch.compiled import elementary, error_function
from sknn_scratch.compiled.jit import scalar

_ARITHMETIC: Mapping[type[ast.AST], tuple[str, Callable[..., float]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
}
_COMPARISONS: Mapping[type[ast.AST], str] = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_OF_ONE: Mapping[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "erf": math.erf,
    "sqrt": math.sqrt,
    "abs": abs,
}
_OF_TWO = {"max": "maximum", "min": "minimum"}


@scalar
def where(condition: Any, value: Any, otherwise: Any) -> Any:
    """``value if condition else otherwise``, with both computed: no branch stops vectorisation."""
    return value if condition else otherwise


# NaN stays NaN, as in NumPy: with it both comparisons are false, and the sum is NaN
@scalar
def maximum(a: Any, b: Any) -> Any:
    """The larger number, or NaN."""
    return where(a > b, a, where(a <= b, b, a + b))


@scalar
def minimum(a: Any, b: Any) -> Any:
    """The smaller number, or NaN."""
    return where(a < b, a, where(a >= b, b, a + b))


class UnreadableError(ValueError):
    """A text that is not a formula in one variable."""


class Formula(NamedTuple):
    """f and f' as source.

    Parameters
    ----------
    value : str
        f in terms of z.
    derivative : str
        f' in terms of z and a = f(z).
    constants : tuple of float
        The numbers c0, c1, ... of both.
    needs_z : bool
        Whether f' depends on z itself.
    """

    value: str
    derivative: str
    constants: tuple[float, ...]
    needs_z: bool

    @classmethod
    @functools.cache  # validation reads them after every epoch
    def read(cls, value: str, derivative: str) -> Formula | None:
        """Read two texts; None if they contain anything except arithmetic and known functions.

        Parameters
        ----------
        value : str
            f in terms of z.
        derivative : str
            f' in terms of z and a = f(z).

        Returns
        -------
        Formula or None
            Their source.

        Examples
        --------
        >>> Formula.read("max(z, 0.1 * z)", "1 if a > 0 else 0.1")[:3]
        ('maximum(z, (c0 * z))', 'where(a > c1, c2, c3)', (0.1, 0.0, 1.0, 0.1))
        >>> Formula.read("f(z)", "f'(z)")
        """
        constants: list[float] = []
        try:
            tree, of_derivative = _parsed(value), _parsed(derivative)
            sources = (
                _source(tree, ("z",), constants),
                # a derivative of 1 needs no computation
                "1" if _is_one(of_derivative) else _source(of_derivative, ("z", "a"), constants),
            )
        except (UnreadableError, SyntaxError, ArithmeticError, ValueError):
            return None
        return cls(*sources, tuple(constants), "z" in _variables(of_derivative))


def _parsed(text: str) -> ast.expr:
    return ast.parse(text.replace("^", "**"), mode="eval").body


def _variables(tree: ast.expr) -> set[str]:
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}


def _is_one(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and type(tree.value) in (int, float) and tree.value == 1


def _number(tree: ast.expr) -> float:
    """The value of a subtree without variables."""
    match tree:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            result = _ARITHMETIC[type(op)][1](_number(left), _number(right))
            if isinstance(result, float):  # a power may be complex
                return result
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _OF_ONE:
            return float(_OF_ONE[name](_number(argument)))
    raise UnreadableError(ast.dump(tree))


def _source(tree: ast.expr, variables: Sequence[str], constants: list[float]) -> str:
    """The source of a subtree; its numbers are appended to the constants."""

    def constant(number: float) -> str:
        constants.append(number)
        return f"c{len(constants) - 1}"

    def of(part: ast.expr) -> str:
        return _source(part, variables, constants)

    if not _variables(tree):
        return constant(_number(tree))
    match tree:
        case ast.Name(id=name) if name in variables:
            return name
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{of(operand)})"
        case ast.BinOp(
            left=ast.Call(func=ast.Name(id="exp"), args=[u], keywords=[]), op=ast.Sub(), right=one
        ) if _is_one(one):
            return f"expm1({of(u)})"
        case ast.BinOp(
            left=one, op=ast.Sub(), right=ast.Call(func=ast.Name(id="exp"), args=[u], keywords=[])
        ) if _is_one(one):
            return f"(-expm1({of(u)}))"
        case ast.Call(
            func=ast.Name(id="log"), args=[ast.BinOp(left=one, op=ast.Add(), right=u)], keywords=[]
        ) if _is_one(one):
            match u:
                case ast.Call(func=ast.Name(id="exp"), args=[exponent], keywords=[]):
                    return f"softplus({of(exponent)})"
            return f"log1p({of(u)})"
        case ast.Call(func=ast.Name(id="tanh"), args=[u], keywords=[]) if (source := of(u)).startswith(
            "softplus("
        ):
            return f"tanh_{source}"
        case ast.BinOp(left=left, op=ast.Div(), right=right) if not _variables(right):
            return f"({of(left)} * {constant(1 / _number(right))})"
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if 2 <= power <= 4:
            return f"({' * '.join([of(left)] * power)})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return f"({of(left)} {_ARITHMETIC[type(op)][0]} {of(right)})"
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _OF_ONE:
            return f"{name}({of(argument)})"
        case ast.Call(func=ast.Name(id=name), args=[first, second], keywords=[]) if name in _OF_TWO:
            return f"{_OF_TWO[name]}({of(first)}, {of(second)})"
        case ast.IfExp(
            test=ast.Compare(left=left, ops=[op], comparators=[right]), body=body, orelse=orelse
        ) if type(op) in _COMPARISONS:
            return f"where({of(left)} {_COMPARISONS[type(op)]} {of(right)}, {of(body)}, {of(orelse)})"
    raise UnreadableError(ast.dump(tree))


def functions(source: str, names: Sequence[str], known: Mapping[str, Any]) -> list[Callable[..., Any]]:
    """Python functions from source, for numba to compile and to find again in its cache on disk.

    numba's cache finds a function by its file, its name and its bytecode. The bytecode holds the names of the
    functions that it calls, but not their content. So the name gets a digest of the source and of the files
    of these functions.

    Parameters
    ----------
    source : str
        Definitions, with ``{digest}`` in each name.
    names : sequence of str
        Which functions are wanted, without the digest.
    known : mapping
        What the source calls apart from the functions of formulas.

    Returns
    -------
    list of function
        One for each name.
    """
    files = {getattr(f, "py_func", f).__code__.co_filename for f in known.values()}
    files |= {elementary.__file__, error_function.__file__}
    content = b"".join(pathlib.Path(file).read_bytes() for file in sorted(files))
    digest = hashlib.sha256(content + source.encode()).hexdigest()[:12]
    namespace = {**vars(elementary), "erf": error_function.erf, **known}
    namespace |= {"sqrt": np.sqrt, "where": where, "maximum": maximum, "minimum": minimum}
    exec(compile(source.replace("{digest}", digest), __file__, "exec"), namespace)
    return [namespace[f"{name}_{digest}"] for name in names]
