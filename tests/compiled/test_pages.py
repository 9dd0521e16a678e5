"""The blocks of the pages that need numba, with the output that stands below each."""

import contextlib
import io
import pathlib
import re

import pytest

pytest.importorskip("numba")

from sknn_scratch.compiled.activations import _source
from sknn_scratch.compiled.formulas import Formula
from sknn_scratch.core import ELU

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "from-scratch.md").read_text("utf-8")


def test_blocks_print_what_the_page_says():
    namespace = {}
    blocks = re.findall(r"^```py\n(.*?)^```\n\n```\n(.*?)^```", PAGE, re.M | re.S)
    assert len(blocks) == len(re.findall(r"^```py$", PAGE, re.M)) > 0
    for block, output in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(block, namespace)
        assert printed.getvalue() == output


def test_the_page_shows_the_generated_source():
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.M | re.S)
    assert shown in _source(Formula.read(ELU(2.0).formula, ELU(2.0).derivative))
