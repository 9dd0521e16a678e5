"""See a network learn, in the browser, with the core behind it.

``python -m sknn_scratch.playground`` opens the page, which needs the extra ``playground``. In reading order:

- ``data``, ``points``, ``features``: what is learnt from
- ``settings``, ``presets``: what can be set, as one value
- ``rows``, ``session``: rows held out, and a network in training
- ``code``: the lines that give the same model
- ``explanation``: the numbers of one unit
- ``page``: the page itself, the only part that knows Bokeh
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sknn_scratch.playground.page.server import Background

__all__ = ["playground"]


def playground(X: npt.ArrayLike, y: npt.ArrayLike) -> Background:
    """Show the playground with data of one's own, in a notebook or at the address that is printed.

    Parameters
    ----------
    X : array-like of shape (n_rows, 1) or (n_rows, 2)
        Coordinates; they are standardised.
    y : array-like of shape (n_rows,)
        Classes as whole numbers, up to six of them, or numbers.

    Returns
    -------
    Background
        A notebook shows it as the page. Its `url` is the address, its `stop()` ends the server.

    Raises
    ------
    ImportError
        If Bokeh is not installed.
    ValueError
        If the data cannot be shown.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch.playground import playground
    >>> X, y = load_iris(return_X_y=True)
    >>> playground(X[:, 2:], y)  # doctest: +SKIP
    Playground at http://127.0.0.1:41207/
    """
    from sknn_scratch.playground.points import Points

    names = tuple(map(str, X.columns)) if hasattr(X, "columns") else ()
    points = Points.of(np.asarray(X), np.asarray(y), names)
    try:
        from sknn_scratch.playground.page.server import Background
    except ImportError as error:
        raise ImportError(
            f'{error}. Install the playground with: python -m pip install ".[playground]"'
        ) from error
    return Background(points)
