"""Formula texts become source: which are read, and how."""

import pytest

pytest.importorskip("numba")

from sknn_scratch.compiled.formulas import Formula
from sknn_scratch.core import ACTIVATIONS, ELU, LeakyReLU


@pytest.mark.parametrize(
    ("text", "source", "constants"),
    [
        ("z", "z", ()),
        ("max(z, 0)", "maximum(z, c0)", (0.0,)),
        ("z if z > 0 else 2 * z", "where(z > c0, z, (c1 * z))", (0.0, 2.0)),
        ("z^3", "(z * z * z)", ()),
        ("-z / 4", "((-z) * c0)", (0.25,)),
        ("z * sqrt(3^2 + 16)", "(z * c0)", (5.0,)),
        ("log(1 + exp(-z))", "softplus((-z))", ()),
        ("log(1 + abs(z))", "log1p(abs(z))", ()),
        ("exp(z) - 1", "expm1(z)", ()),
        ("1 - exp(z)", "(-expm1(z))", ()),
        ("exp(z) - 2", "(exp(z) - c0)", (2.0,)),
        ("tanh(log(1 + exp(z)))", "tanh_softplus(z)", ()),
        ("tanh(z)", "tanh(z)", ()),
    ],
)
def test_source_of_a_text(text, source, constants):
    assert Formula.read(text, "1") == (source, "1", constants, False)


def test_derivatives_know_a_and_say_whether_they_need_z():
    assert Formula.read("z", "1 - a^2") == ("z", "(c0 - (a * a))", (1.0,), False)
    assert Formula.read("z", "z * a") == ("z", "(z * a)", (), True)


@pytest.mark.parametrize(
    "text",
    [
        "f(z)",
        "a",  # of f itself only z is known
        "x",
        "sin(z)",
        "z.real",
        "z[0]",
        "z @ z",
        "z if z else 0",
        "0 < z < 1",
        "exp(z, z)",
        "max(z, key=0)",
        "__import__('os').getcwd()",
        "(lambda: z)()",
        "'z'",
        "True * z",
        "z +",
        "",
        "z / 0",
        "z * log(-1)",
        "z * (-1)^0.5",
        "z * 10.0^1000",
    ],
)
def test_whatever_is_not_arithmetic_is_not_read(text):
    assert Formula.read(text, "1") is None
    assert Formula.read("z", text) is None or text == "a"


def test_texts_keep_all_digits_of_a_number():
    assert LeakyReLU(1 / 3).formula == "max(z, 0.3333333333333333 * z)"
    assert ELU(0.1 + 0.2).derivative == "1 if a > 0 else a + 0.30000000000000004"
    assert LeakyReLU(0.01).formula == "max(z, 0.01 * z)"
    assert ELU(2).formula == "z if z > 0 else 2 * (exp(z) - 1)"


def test_all_registered_texts_are_read():
    assert all(Formula.read(kind().formula, kind().derivative) for kind in ACTIVATIONS.values())
