"""Fingerprints of parameters and data: different where values differ, the same in every process."""

import functools
import os
import pathlib
import subprocess
import sys

import numpy as np
from helpers.checkpoints import gaussians
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score, make_scorer

from sknn_scratch.callbacks._fingerprint import fingerprint
from sknn_scratch.core import Adam, AdamW, CustomSchedule, FromFunction


def made(factor):
    return lambda progress: factor


FINGERPRINTS = f"""
import sys
sys.path[:0] = {[str(pathlib.Path(__file__).parent)]!r}
from test_fingerprint import different_values, fingerprint
print(*map(fingerprint, different_values()))
"""


def different_values():
    return [
        *(None, True, 1, 1.0, 2.0, "1", b"1", (1,), [1], {1}, {"a": 1}, {"a": 2}, {"a", "b", "c", "d"}),
        *(
            np.zeros(3),
            np.zeros(3, dtype=int),
            np.arange(3),
            np.arange(3.0),
            np.arange(3.0)[:, np.newaxis],
            np.array(["a"]),
            np.array(["a"], object),
        ),
        *(
            csr_array(np.eye(3)),
            csr_array(2 * np.eye(3)),
            np.random.RandomState(0),
            np.add,
            np.sin,
            np.mean,
            len,
        ),
        *(made(1), made(2), lambda p: 0.1, lambda p: 0.2, lambda p, q=1: q, lambda p, q=2: q, gaussians),
        *(Adam(), Adam(beta_1=0.8), AdamW(), CustomSchedule(made(1)), FromFunction(gaussians), Adam, AdamW),
        *(functools.partial(gaussians, fan_in=1), functools.partial(gaussians, fan_in=2)),
        *(make_scorer(accuracy_score), make_scorer(accuracy_score, normalize=False)),
    ]


class TestFingerprint:
    def test_differs_where_values_do(self):
        values = different_values()
        assert len({fingerprint(value) for value in values}) == len(values)

    def test_is_the_same_in_every_process(self):
        printed = set()
        for seed in "12":
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
            command = [sys.executable, "-c", FINGERPRINTS]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            printed.add(done.stdout)
        assert len(printed) == 1
        assert len(printed.pop().split()) == len(different_values())

    def test_does_not_depend_on_memory(self):
        array = np.random.RandomState(0).normal(size=(3000, 200))
        assert fingerprint(array) == fingerprint(np.asfortranarray(array)) == fingerprint(array.copy())
        assert fingerprint(array) == fingerprint(array.view(np.memmap))
        assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
        assert fingerprint(np.float64(0.1)) == fingerprint(0.1)
        other = array.copy()
        other[-1, -1] += 1e-9
        assert fingerprint(other) != fingerprint(array)

    def test_what_holds_itself(self):
        def recursive(progress):
            return recursive(progress)

        values = [1]
        values.append(values)
        assert len({fingerprint(recursive), fingerprint(values), fingerprint([1, [1]])}) == 3
