"""Which networks are trained by whole epochs in one compiled loop, and what that loop is given."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled import activations, losses, rules
from sknn_scratch.compiled.epoch import room_of_a_step, run_steps
from sknn_scratch.compiled.products import gemm_address
from sknn_scratch.compiled.random_bits import RandomBits
from sknn_scratch.compiled.rules import RuleKernel
from sknn_scratch.core.batches import Batches
from sknn_scratch.core.epochs import Training, flush_subnormals
from sknn_scratch.core.grouped_adam import GroupedState
from sknn_scratch.core.history import Epoch, History
from sknn_scratch.core.interruption import POSTPONEMENT
from sknn_scratch.core.layers import Activate, Dense, Dropout
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.machine.threads import threads_pay
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, Parameters

WORK_OF_A_CALL = 2**26
"""Multiplications of one compiled call, less than a tenth of a second: between calls, Ctrl-C is heard."""

WORK_OF_A_STEP = 2**13
"""What a step costs besides its products, in multiplications."""

_ALL_ROWS = np.empty(0, np.int64)


class Plan(NamedTuple):
    """A network as the compiled loop wants it: sizes, constants, and the addresses of kernels."""

    sizes: npt.NDArray[np.int64]
    forward: npt.NDArray[np.int64]
    backward: npt.NDArray[np.int64]
    constants: FloatArray
    needs_slope: npt.NDArray[np.bool_]
    rates: npt.NDArray[np.float64]
    has_bias: bool
    loss: int
    loss_constants: npt.NDArray[np.float64]
    rule: RuleKernel
    l2: float


def plan_of(network: Network, batches: Batches, training: Training) -> Plan | None:
    """The plan of a network, or None if it is large, or has parts that the loop does not know."""
    dtype = batches.X.dtype
    layers = [layer for layer in network.layers if type(layer) is not Dropout]
    dense = [layer for layer in layers[::2] if type(layer) is Dense]
    hidden = [layer for layer in layers[1::2] if type(layer) is Activate]
    after = [then for layer, then in itertools.pairwise(network.layers) if type(layer) is Activate]
    rates = [layer.rate if type(layer) is Dropout else 0.0 for layer in after]
    n_parts = len(dense) + len(hidden) + sum(type(layer) is Dropout for layer in after)
    if n_parts < len(network.layers):
        return None
    largest = max(layer.n_inputs * layer.n_outputs for layer in dense)
    if (
        type(batches) is not Batches
        or not isinstance(batches.X, np.ndarray)
        or training.regularization is not None
        or isinstance(training.optimizer_state, GroupedState)
        or threads_pay(batches.batch_size * largest)  # by NumPy's BLAS: SciPy's would be in their way
    ):
        return None
    loss, rule = losses.kernel_of(network.loss), rules.kernel_of(training.optimizer)
    found = [activations.kernel_of(layer.activation, dtype) for layer in hidden]
    functions = [function for function in found if function is not None]
    if loss is None or rule is None or len(functions) < len(hidden):
        return None
    constants = np.zeros((len(hidden), max((len(f.constants) for f in functions), default=0)), dtype)
    for of_layer, function in zip(constants, functions, strict=True):
        of_layer[: len(function.constants)] = function.constants
    return Plan(
        np.array([dense[0].n_inputs, *(layer.n_outputs for layer in dense)]),
        np.array([f.forward.address(dtype) for f in functions], np.int64),
        np.array([f.backward.address(dtype) for f in functions], np.int64),
        constants,
        np.array([f.needs_slope for f in functions], np.bool_),
        np.array(rates, np.float64),
        dense[0].has_bias,
        loss.kernel.address(dtype),
        loss.constants,
        rule,
        float(network.l2),
    )


class WholeEpochs:
    """Runs epochs of a multi-layer perceptron by few calls of :func:`run_steps`."""

    def __init__(
        self,
        plan: Plan,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None = None,
    ) -> None:
        self.plan, self.parameters, self.batches, self.training = plan, parameters, batches, training
        dtype = parameters.flat.dtype
        self._run, self._gemm = run_steps[dtype], gemm_address(dtype)
        self._gradient_norm, self._update = rules.gradient_norm.address(dtype), rules.update.address(dtype)
        # without a source of random numbers there is no dropout
        self._rates = np.zeros_like(plan.rates) if rng is None else plan.rates
        self._random_bits = RandomBits(rng)
        has_dropout = bool(self._rates.any())
        room = room_of_a_step(plan.sizes, batches.batch_size, batches.y.shape[1], has_dropout)
        self._memory, self._gradient = aligned(room, dtype), aligned(parameters.flat.size, dtype)
        self._weight = np.empty(0, dtype) if batches.weight is None else batches.weight
        work = 3 * parameters.n_weights * batches.batch_size + WORK_OF_A_STEP
        self._steps_of_a_call = max(1, WORK_OF_A_CALL // work)

    def __call__(self, history: History) -> Epoch:
        """One pass over the data, in calls between which signals are delivered."""
        batches, epoch, totals = self.batches, Epoch(), np.zeros(4)
        batches.shuffle()
        n_rows = batches.n_batches * batches.batch_size if batches.drop_last else batches.n_rows
        rows_of_a_call = self._steps_of_a_call * batches.batch_size
        for start in range(0, n_rows, rows_of_a_call):
            self._call(start, min(n_rows, start + rows_of_a_call), totals, epoch)
            POSTPONEMENT.deliver()
        loss, penalty, weight, norm = totals.tolist()
        epoch.gradient_norm = norm if weight else math.nan
        # rows with a weight may all be among those that do not fill a batch
        epoch.loss = (history.reported(loss) + penalty) / weight if weight else 0.0
        return epoch

    def _call(self, start: int, stop: int, totals: npt.NDArray[np.float64], epoch: Epoch) -> None:
        """Train on some rows of the order."""
        plan, batches, training = self.plan, self.batches, self.training
        state = training.optimizer_state
        learning_rates = self._learning_rates(-(-(stop - start) // batches.batch_size))
        with self._random_bits.lock:
            n_made = self._run(
                self._gemm,
                batches.X,
                batches.y,
                self._weight,
                _ALL_ROWS if batches.order is None else batches.order,
                start,
                stop,
                batches.batch_size,
                plan.sizes,
                plan.forward,
                plan.backward,
                plan.constants,
                plan.needs_slope,
                self._rates,
                self._random_bits.arguments,
                plan.has_bias,
                plan.loss,
                plan.loss_constants,
                self._gradient_norm,
                self._update,
                plan.rule.code,
                plan.rule.constants,
                plan.rule.max_grad_norm,
                plan.l2,
                self.parameters.flat,
                self._gradient,
                *plan.rule.arrays(state)[:2],
                self._memory,
                learning_rates,
                state.n_steps,
                totals,
            )
        state.n_steps += n_made
        training.progress.step += n_made
        if n_made:
            epoch.learning_rate = float(learning_rates[n_made - 1])
        flush_subnormals(self.parameters.flat, *state.averages.values())

    def _learning_rates(self, n_steps: int) -> npt.NDArray[np.float64]:
        """Those of the next steps."""
        progress, schedule = self.training.progress, self.training.schedule
        if not schedule.changes_within_epoch:
            return np.full(n_steps, schedule(progress), np.float64)
        steps = range(progress.step, progress.step + n_steps)
        return np.array([schedule(replace(progress, step=step)) for step in steps], np.float64)
