"""One network in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sknn_scratch.core import (
    Batches,
    Dropout,
    GroupedAdam,
    LogLoss,
    Network,
    Parameters,
    Patience,
    Progress,
    SquaredError,
    Training,
    fit_first_weights,
)
from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.fitting._target_scale import start_at_constant
from sknn_scratch.tabular._network import factors
from sknn_scratch.tabular._presets import Preset

N_ROWS_OF_FIRST_WEIGHTS = 10_000
"""Largest number of rows that the initial weights use: standard deviations are then right to one percent."""


@dataclass
class Member:
    """One network in training.

    Attributes
    ----------
    network, parameters, batches, training : Network, Parameters, Batches, Training
        What the training loop works with.
    rng : numpy.random.RandomState
        Source of its random numbers.
    """

    network: Network
    parameters: Parameters
    batches: Batches
    training: Training
    rng: np.random.RandomState

    @classmethod
    def ready(
        cls,
        network: Network,
        data: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        settings: Preset,
        patience: Patience,
        rng: np.random.RandomState,
    ) -> Member:
        """A member before its first step.

        Parameters
        ----------
        network : Network
            What is trained.
        data, y, weight : ndarray
            The encoded table, targets in the units of training, weights of rows or None.
        settings : Preset
            Hyper-parameters, with objects.
        patience : Patience
            Its own.
        rng : numpy.random.RandomState
            Its own source of random numbers.

        Returns
        -------
        Member
            The member.
        """
        parameters = network.initialize(rng, np.float32)
        fits = settings.weight_init == "std", settings.bias_init == "he+5"
        if any(fits):
            rows = rng.permutation(len(data))[:N_ROWS_OF_FIRST_WEIGHTS]
            fit_first_weights(network, parameters, data[rows], rng, *fits)
        if not isinstance(network.loss, SquaredError | LogLoss):  # the recipe was published for these
            for values in parameters.layers[-1].values():
                values[...] = 0.0
            start_at_constant(parameters, network.loss, y, weight)
        batches = Batches(data, y, weight, settings.batch_size, rng=rng, drop_last=True)
        optimizer = GroupedAdam(
            float(settings.weight_decay),
            float(settings.beta_1),
            float(settings.beta_2),
            float(settings.epsilon),
        )
        state = optimizer.init(parameters.flat)
        optimizer.set_factors(state, network.shapes, *factors(settings))
        training = Training(
            optimizer,
            settings.learning_rate,
            state,
            Progress(float(settings.learning_rate_init)),
            patience,
            regularization=settings.regularization,
        )
        return cls(network, parameters, batches, training, rng)

    @property
    def has_dropout(self) -> bool:
        """Whether a step draws random numbers."""
        return any(isinstance(layer, Dropout) for layer in self.network.layers)

    @property
    def best(self) -> FloatArray:
        """The flat weights of the best epoch, or those it has where none is watched."""
        best = self.training.patience.best_weights
        return self.parameters.flat if best is None else best
