"""What Ctrl-C makes of a fit that has trained already: a usable model."""

from sknn_scratch.core import Outcome


def outcome_of(train, epochs):
    """Train, and say why it ended.

    A training loop notices Ctrl-C itself. In `train` it may also come before or after the loop.

    Parameters
    ----------
    train : callable
        Trains, and returns an Outcome.
    epochs : list of Epoch
        What it records.

    Returns
    -------
    Outcome
        Why training ended.

    Raises
    ------
    KeyboardInterrupt
        If it comes outside the training loop, before an epoch or an iteration of L-BFGS has ended.
    """
    try:
        return train()
    except KeyboardInterrupt:
        if not epochs:
            raise
        return Outcome.INTERRUPTED
