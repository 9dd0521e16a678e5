"""docs/extending.md, followed to the letter."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers.extending import CLASSES, HardTanh, Lion, LogCosh, blocks, imports
from helpers.memory import peak_memory

from sknn_scratch.core import Network, Workspace

ROOT = pathlib.Path(__file__).parents[1]


def test_all_functions_of_the_page_are_annotated():
    for part in ast.walk(ast.parse(blocks("python"))):
        if isinstance(part, ast.FunctionDef):
            given = [argument for argument in part.args.args if argument.arg != "self"]
            assert part.returns is not None, part.name
            assert all(argument.annotation is not None for argument in given), part.name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_its_classes_allocate_nothing_that_grows(dtype, weighted):
    # As for the classes of the registries: ufuncs buffer 8192 numbers, which the first case has already. The
    # second case has more rows, the third more parameters.
    peaks = []
    for n_rows, width in [(2**14, 8), (2**17, 2), (256, 256)]:
        rng = np.random.RandomState(0)
        network = Network.mlp([5, width, width, 4], HardTanh(), LogCosh(), l2=0.1)
        parameters = network.initialize(rng, dtype)
        X, y = rng.normal(size=(n_rows, 5)).astype(dtype), rng.normal(size=(n_rows, 4)).astype(dtype)
        weight = rng.uniform(0.3, 2.0, n_rows).astype(dtype) if weighted else None
        workspace, rule = Workspace(network, parameters, n_rows), Lion()
        state = rule.init(parameters.flat)

        def step(batch=(X, y, weight), network=network, workspace=workspace, rule=rule, state=state):
            network.loss_and_gradient(*batch, workspace)
            rule.step(workspace.parameters.flat, workspace.gradient.flat, state, 1e-6)

        peaks.append(peak_memory(step))
    assert max(peaks) - peaks[0] < 2**14, peaks


# For each class of the page: its name in the registry, the registry, and the files of both.
PLACES = {
    "LogCosh": ("log_cosh", "LOSSES", "losses/__init__.py", "losses/log_cosh.py"),
    "HardTanh": ("hard_tanh", "ACTIVATIONS", "activations/__init__.py", "activations/hard_tanh.py"),
    "Lion": ("lion", "OPTIMIZERS", "optimizers.py", "optimizers.py"),
    "Polynomial": ("polynomial", "SCHEDULES", "schedules.py", "schedules.py"),
    "LecunUniform": ("lecun_uniform", "INITIALIZERS", "initializers.py", "initializers.py"),
}
BASES = {
    "losses/log_cosh.py": "from sknn_scratch.core.losses.base import Loss",
    "activations/hard_tanh.py": "from sknn_scratch.core.activations.base import Activation",
}
EXAMPLE = """

    Examples
    --------
    >>> from sknn_scratch.core import {0}
    >>> {0}() == {0}()
    True
    \"\"\"
"""


def insert(path, before, text):
    """Put text before the first place of a file that holds `before`."""
    head, found, tail = path.read_text("utf-8").partition(before)
    assert found
    path.write_text(head + text + found + tail, "utf-8")


def add_to_the_library(core, name):
    """The first two steps of the page, in a copy of the core."""
    key, registry, home, file = PLACES[name]
    code = re.sub(r'"""$', lambda end: EXAMPLE.format(name), CLASSES[name], count=1, flags=re.M)
    code = f"{imports(of_core_only=True)}\n{BASES.get(file, '')}\n\n\n{code}\n\n\n"
    if file == home:
        insert(core / file, f"{registry}: dict", code)
    else:
        (core / file).write_text(f'"""One class."""\n\n{code}', "utf-8")
        module = file.removesuffix(".py").replace("/", ".")
        insert(core / home, "__all__", f"from sknn_scratch.core.{module} import {name}\n\n")
    first = re.search(rf"^{registry}: dict.*\n(.*\n)", (core / home).read_text("utf-8"), re.M)[1]
    insert(core / home, first, f'    "{key}": {name},\n')


@pytest.mark.full
def test_the_steps_for_all_users_are_enough(tmp_path):
    for folder in ("sknn_scratch", "tests", "docs", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, tmp_path)
    for name in PLACES:
        add_to_the_library(tmp_path / "sknn_scratch" / "core", name)
    with (tmp_path / "tests" / "reference.py").open("a", encoding="utf-8") as reference:
        reference.write("\n\n" + blocks("py"))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "--ignore=tests/test_registries.py"),
            *("-k", " or ".join([*PLACES, *(key for key, *_ in PLACES.values()), "registries", "registry"])),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 500
