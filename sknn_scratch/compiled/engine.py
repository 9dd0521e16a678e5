"""The compiled engine: whole epochs of perceptrons in one loop, compiled steps for all other networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled import activations, rules, updates
from sknn_scratch.compiled.jit import Kernel
from sknn_scratch.compiled.network import compiled_layers, compiled_network, merged
from sknn_scratch.compiled.whole_epochs import WholeEpochs, plan_of
from sknn_scratch.core.batches import Batches
from sknn_scratch.core.epochs import NUMPY, BatchByBatch, Engine, NumpyStep, RunEpoch, Step, Training
from sknn_scratch.core.machine.threads import Team
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, LayerParameters, Parameters
from sknn_scratch.core.prediction import forward_by_blocks
from sknn_scratch.core.workspace import Workspace


class CompiledEngine(Engine):
    """Numba's kernels, and NumPy for parts without a kernel.

    Parameters
    ----------
    warn : callable
        Called with a message if a kernel cannot be compiled. From then on NumPy computes everything.
    tell : callable
        Called with a message when kernels have been compiled for the first time.
    """

    name: ClassVar[str] = "numba"

    failure: ClassVar[str] = ""
    """Why this process no longer uses kernels; empty unless one could not be compiled."""

    def __init__(self, warn: Callable[[str], object], tell: Callable[[str], object]) -> None:
        self._warn, self._tell = warn, tell

    def run_epoch(
        self,
        network: Network,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None,
        team: Team,
    ) -> RunEpoch:
        """One compiled loop if all parts of the network have kernels there, else step by step."""
        prepared = self._prepared(_run_epoch, network, parameters, batches, training, rng, team)
        return prepared or NUMPY.run_epoch(network, parameters, batches, training, rng, team)

    def evaluated(self, network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
        """The network of compiled layers, on the same vector of parameters."""
        return self._prepared(compiled_network, network, parameters) or (network, parameters)

    def raw_scores(
        self,
        network: Network,
        X: FloatArray,
        parameters: Sequence[LayerParameters],
        rows: npt.NDArray[np.intp] | None = None,
    ) -> FloatArray:
        """The raw scores from compiled layers."""
        dtype = np.result_type(X, *[array for of_layer in parameters for array in of_layer.values()])
        has_kernels = dtype in (np.float64, np.float32)
        layers = self._prepared(compiled_layers, network.layers, dtype) if has_kernels else None
        if layers is None:
            return network.raw_scores(X, parameters, rows)
        return forward_by_blocks(layers, X, merged(layers, parameters), rows)

    def _prepared(self, prepare: Callable[..., Any], *args: Any) -> Any:
        """What `prepare` returns, or None if it needs a kernel that cannot be compiled."""
        if self.failure:
            return None
        before = Kernel.seconds
        try:
            prepared = prepare(*args)
            for message in activations.complaints():
                self._warn(message)
            if Kernel.seconds > before:
                self._tell(
                    f"Compiled kernels in {Kernel.seconds - before:.1f} s, once: numba keeps them on disk."
                )
            return prepared
        except Exception as error:
            CompiledEngine.failure = f"{type(error).__name__}: {error}"
            self._warn(
                "The compiled kernels do not work here, so that NumPy computes, which is slower and gives "
                "the same. Set SKNN_SCRATCH_ENGINE=numpy to switch them off. numba said: "
                f"{self.failure.splitlines()[0]}"
            )
            return None


def _run_epoch(
    network: Network,
    parameters: Parameters,
    batches: Batches,
    training: Training,
    rng: np.random.RandomState | None,
    team: Team,
) -> RunEpoch:
    found = plan_of(network, batches, training) if team.n_threads == 1 else None
    if found is not None:
        return WholeEpochs(*found, parameters, batches, training, rng)
    compiled, its_parameters = compiled_network(network, parameters)
    workspace = Workspace(compiled, its_parameters, batches.batch_size, rng, team)
    rule = rules.kernel_of(training.optimizer)
    step: Step = (
        NumpyStep(compiled, training, workspace)
        if rule is None
        else CompiledStep(replace(compiled, l2=0.0), network.l2, training, workspace, rule)
    )
    return BatchByBatch(batches, training, workspace, step)


class CompiledStep(Step):
    """One step: NumPy's products, then the penalty, the clipping and the update in one pass."""

    def __init__(
        self, network: Network, l2: float, training: Training, workspace: Workspace, rule: rules.RuleKernel
    ) -> None:
        self.network, self.l2, self.training, self.workspace = network, float(l2), training, workspace
        self._rule = rules.CompiledRule(rule)
        for kernel in (updates.update, updates.gradient_norm):
            kernel.compile(workspace.parameters.flat.dtype)
        self._strength = 0.0

    def gradient(self, X: FloatArray, y: FloatArray, weight: FloatArray | None) -> float:
        self._strength = self.l2 / (len(y) if weight is None else float(weight.sum()))
        return self.network.loss_and_gradient(X, y, weight, self.workspace).loss

    def gradient_norm(self) -> float:
        theta = self.workspace.parameters
        norm: float = updates.gradient_norm[theta.flat.dtype](
            theta.flat, self.workspace.gradient.flat, theta.n_weights, self._strength
        )
        return norm

    def update(self, learning_rate: float) -> float:
        workspace = self.workspace
        squares = self._rule.step(
            workspace.parameters.flat,
            workspace.gradient.flat,
            self.training.optimizer_state,
            learning_rate,
            workspace.parameters.n_weights,
            self._strength,
            workspace.team,
        )
        return 0.5 * self._strength * squares
