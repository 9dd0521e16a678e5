"""Which networks the compiled loop over whole epochs trains, and the arguments of that loop."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import joblib
import numba
import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled import activations, losses, rules, updates
from sknn_scratch.compiled.epoch import FIRST_NORM, LOSS, N_TOTALS, PENALTY, WEIGHT, run_steps
from sknn_scratch.compiled.meeting import abandoned_on_failure, give_way_address, meeting_place
from sknn_scratch.compiled.plan import Plan, Vectors, places_of
from sknn_scratch.compiled.products import gemm_address
from sknn_scratch.compiled.random_bits import RandomBits
from sknn_scratch.compiled.rules import RuleKernel
from sknn_scratch.core.batches import Batches
from sknn_scratch.core.epochs import STEPS_TO_FLUSH, Training, flush_subnormals
from sknn_scratch.core.grouped_adam import GroupedState
from sknn_scratch.core.history import Epoch, History
from sknn_scratch.core.interruption import POSTPONEMENT
from sknn_scratch.core.layers import Activate, Dense, Dropout
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.machine.threads import BLAS_LIMIT, Team
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import Parameters, largest_weights

WORK_OF_A_CALL = 2**29
"""Multiplications of a thread in one compiled call, 20 to 100 ms. Ctrl-C takes effect between calls."""

WORK_OF_A_STEP = 2**14
"""The cost of a step apart from its products, in multiplications."""

PRODUCT_TO_SHARE = 2**22
"""Several threads run the loop if the largest product has at least this many multiplications.

Two threads were 0.7 to 1.0 times as fast as one from 2**20 on, 1.1 to 1.4 times from 2**21 on, and 1.25 to
1.6 times from here on, on two cores with AVX-512. Float32 gains less than float64.
"""

ROWS_OF_A_THREAD = 64
"""Least rows of a batch for each thread: with fewer, reading the weights takes longer than computing."""

_NO_INTEGERS = np.empty(0, np.int64)


def plan_of(network: Network, batches: Batches, training: Training) -> tuple[Plan, RuleKernel] | None:
    """The plan of a network and its update rule, or None if the loop cannot train it."""
    dtype = batches.X.dtype
    layers = [layer for layer in network.layers if type(layer) is not Dropout]
    dense = [layer for layer in layers[::2] if type(layer) is Dense]
    hidden = [layer for layer in layers[1::2] if type(layer) is Activate]
    after = [then for layer, then in itertools.pairwise(network.layers) if type(layer) is Activate]
    rates = [layer.rate if type(layer) is Dropout else 0.0 for layer in after]
    if (
        len(dense) + len(hidden) + sum(type(layer) is Dropout for layer in after) < len(network.layers)
        or type(batches) is not Batches
        or not isinstance(batches.X, np.ndarray)
        or training.regularization is not None
        or isinstance(training.optimizer_state, GroupedState)
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
    sizes = np.array([dense[0].n_inputs, *(layer.n_outputs for layer in dense)])
    # all weights come first in the vector, then all biases
    ends = np.cumsum([0, *sizes[:-1] * sizes[1:], *sizes[1:]])
    weights, biases = np.split(ends[:-1], 2)
    plan = Plan(
        sizes,
        weights,
        biases,
        dense[0].has_bias,
        np.array([f.forward.address(dtype) for f in functions], np.int64),
        np.array([f.backward.address(dtype) for f in functions], np.int64),
        constants,
        np.array([f.needs_slope for f in functions], np.bool_),
        np.array(rates, np.float64),
        loss.kernel.address(dtype),
        loss.constants,
        rule.code,
        rule.constants,
        rule.max_grad_norm,
        float(network.l2),
        gemm_address(dtype),
        updates.gradient_norm.address(dtype),
        updates.update.address(dtype),
        give_way_address(),
    )
    return plan, rule


def threads_of(parameters: Parameters, batch_size: int) -> int:
    """How many threads run the loop: one if products or batches are small, else as many as BLAS may use."""
    is_small = batch_size * largest_weights(parameters.layers) < PRODUCT_TO_SHARE
    if is_small or numba.config.DISABLE_JIT:  # Python's threads do not compute at once
        return 1
    return max(1, min(BLAS_LIMIT.n_threads, joblib.cpu_count(), batch_size // ROWS_OF_A_THREAD))


class WholeEpochs:
    """Runs epochs of a multi-layer perceptron in a few calls of :func:`run_steps`, in one thread or more."""

    def __init__(
        self,
        plan: Plan,
        rule: RuleKernel,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None = None,
    ) -> None:
        if rng is None:  # without a source of random numbers there is no dropout
            plan = plan._replace(rates=np.zeros_like(plan.rates))
        self.plan, self.parameters, self.batches, self.training = plan, parameters, batches, training
        dtype, n_parameters = parameters.flat.dtype, parameters.flat.size
        self._run, self._rule, self._random_bits = run_steps[dtype], rule, RandomBits(rng)
        self._places = places_of(plan, batches.batch_size, batches.y.shape[1])
        self._memory, self._gradient = aligned(self._places.end, dtype), aligned(n_parameters, dtype)
        weight = np.empty(0, dtype) if batches.weight is None else batches.weight
        order = _NO_INTEGERS if batches.order is None else batches.order
        self._data = batches.X, batches.y, weight, order
        n_threads = threads_of(parameters, batches.batch_size)
        self._team, self._meeting = Team(n_threads), meeting_place()
        self._bias_gradients = np.empty((n_threads - 1, n_parameters - parameters.n_weights), dtype)
        work = 3 * parameters.n_weights * batches.batch_size + WORK_OF_A_STEP
        self._steps_of_a_call = max(1, n_threads * WORK_OF_A_CALL // work)

    def __call__(self, history: History) -> Epoch:
        """One pass over the data, in calls between which signals are delivered."""
        batches, epoch, totals = self.batches, Epoch(), np.zeros((self._team.n_threads, N_TOTALS))
        batches.shuffle()
        n_rows = batches.n_batches * batches.batch_size if batches.drop_last else batches.n_rows
        rows_of_a_call = self._steps_of_a_call * batches.batch_size
        with self._team:
            for start in range(0, n_rows, rows_of_a_call):
                self._call(start, min(n_rows, start + rows_of_a_call), totals, epoch)
                POSTPONEMENT.deliver()
        self._flush_subnormals()
        loss, penalty = totals[:, [LOSS, PENALTY]].sum(axis=0).tolist()
        weight = float(totals[0, WEIGHT])
        epoch.gradient_norm = float(totals[0, FIRST_NORM]) if weight else math.nan
        # the last, incomplete batch is dropped, and all rows with a weight may be in it
        epoch.loss = (history.reported(loss) + penalty) / weight if weight else 0.0
        return epoch

    def _call(self, start: int, stop: int, totals: npt.NDArray[np.float64], epoch: Epoch) -> None:
        """Train on some rows of the order."""
        state, progress = self.training.optimizer_state, self.training.progress
        learning_rates = self._learning_rates(-(-(stop - start) // self.batches.batch_size))
        first, second, *_ = self._rule.arrays(state)
        vectors = Vectors(self.parameters.flat, self._gradient, first, second, self._bias_gradients)

        def run(thread: int) -> int:
            with abandoned_on_failure(self._meeting):
                n_made: int = self._run(
                    self.plan,
                    *self._data,
                    self._places,
                    self._memory,
                    self._random_bits.arguments,
                    vectors,
                    start,
                    stop,
                    learning_rates,
                    state.n_steps,
                    thread,
                    self._meeting,
                    totals,
                )
            return n_made

        self._meeting[:] = 0
        # a thread may also fail to start
        with self._random_bits.lock, abandoned_on_failure(self._meeting):
            n_made, *_ = self._team.together(run, range(len(totals)))
        state.n_steps += n_made
        progress.step += n_made
        if n_made:
            epoch.learning_rate = float(learning_rates[n_made - 1])
        if progress.step // STEPS_TO_FLUSH > (progress.step - n_made) // STEPS_TO_FLUSH:
            self._flush_subnormals()

    def _flush_subnormals(self) -> None:
        averages = self.training.optimizer_state.averages.values()
        flush_subnormals(self.parameters.flat, *averages)

    def _learning_rates(self, n_steps: int) -> npt.NDArray[np.float64]:
        """The learning rates of the next steps."""
        progress, schedule = self.training.progress, self.training.schedule
        if not schedule.changes_within_epoch:
            return np.full(n_steps, schedule(progress), np.float64)
        steps = range(progress.step, progress.step + n_steps)
        return np.array([schedule(replace(progress, step=step)) for step in steps], np.float64)
