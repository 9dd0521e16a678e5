"""Points of one's own: clicked, out of a CSV file, or an X and a y."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.parameters import FloatArray

MAX_BYTES, MAX_ROWS, MAX_CLASSES = 2**20, 5000, 6


@dataclass(frozen=True, eq=False)
class Points:
    """Data of one's own, ready to be learnt from.

    Attributes
    ----------
    X : ndarray of shape (n_rows, 1) or (n_rows, 2)
        Coordinates.
    y : ndarray of shape (n_rows,)
        Classes as integers, or numbers.
    has_classes : bool
        Which of the two.
    names : tuple of str
        Names of the coordinates.
    """

    X: FloatArray
    y: npt.NDArray[Any]
    has_classes: bool
    names: tuple[str, ...] = ("x₁", "x₂")

    @classmethod
    def of(cls, X: npt.ArrayLike, y: npt.ArrayLike, names: tuple[str, ...] = ()) -> Self:
        """Points with standardised coordinates; whole numbers of few kinds are classes.

        Parameters
        ----------
        X : array-like of shape (n_rows, 1) or (n_rows, 2)
            Coordinates.
        y : array-like of shape (n_rows,)
            Classes or numbers; numbers are standardised too.
        names : tuple of str, default=()
            Names of the coordinates.

        Returns
        -------
        Points
            The points.

        Raises
        ------
        ValueError
            If nothing can be learnt from them.

        Examples
        --------
        >>> from sknn_scratch.playground.points import Points
        >>> points = Points.of([[1, 10], [2, 20], [3, 30]], [0, 1, 0])
        >>> points.has_classes, points.X[:, 0].round(2).tolist()
        (True, [-1.22, 0.0, 1.22])
        """
        try:
            X, y = np.array(X, dtype=np.float64), np.array(y, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                "The data have text where numbers are needed. Give classes as 0, 1, ..."
            ) from None
        if X.ndim != 2 or X.shape[1] not in (1, 2) or y.shape != (len(X),):
            raise ValueError(
                f"The playground needs one or two columns and a target, got X of shape {X.shape} and y of "
                f"shape {y.shape}."
            )
        if not (np.isfinite(X).all() and np.isfinite(y).all()):
            raise ValueError("The data have missing or infinite numbers. Remove these rows first.")
        if not 2 <= len(X) <= MAX_ROWS:
            raise ValueError(f"The playground takes 2 to {MAX_ROWS} rows, got {len(X)}.")
        values = np.unique(y)
        if len(values) == 1:
            raise ValueError(f"The target is {values[0]:g} in all rows: there is nothing to learn.")
        has_classes = len(values) <= MAX_CLASSES and bool((values == values.round()).all())
        titles = tuple(f"{name} (standardised)" for name in names) or ("x₁", "x₂")[: X.shape[1]]
        return cls(standardised(X), y.astype(int) if has_classes else standardised(y), has_classes, titles)

    @classmethod
    def from_csv(cls, content: bytes) -> Self:
        r"""Points out of a CSV file: one or two coordinates and the target, with or without a header.

        Parameters
        ----------
        content : bytes
            The file.

        Returns
        -------
        Points
            The points.

        Raises
        ------
        ValueError
            If the file is too large, is no table of numbers, or has nothing to learn from.

        Examples
        --------
        >>> from sknn_scratch.playground.points import Points
        >>> Points.from_csv(b"width,kind\n1,0\n2,1\n").names
        ('width (standardised)',)
        """
        if len(content) > MAX_BYTES:
            raise ValueError(
                f"The file has {len(content) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB are read."
            )
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError("The file is not text in UTF-8. Save the table as CSV.") from None
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(map(str.strip, row))]
        if not rows:
            raise ValueError("The file is empty.")
        header = [] if all(map(_is_number, rows[0])) else [cell.strip() for cell in rows.pop(0)]
        widths = {len(row) for row in rows}
        if not rows or not widths <= {2, 3} or len(widths) > 1:
            raise ValueError(
                "The file must have two or three columns, the last one the target, and the same number in "
                f"each row; it has rows of {sorted(widths)} columns."
            )
        for number, row in enumerate(rows, start=1 + bool(header)):
            for cell in row:
                if not _is_number(cell):
                    raise ValueError(
                        f"Row {number} of the file has {cell.strip()!r} where a number is needed."
                    )
        table = np.array(rows, dtype=np.float64)
        return cls.of(table[:, :-1], table[:, -1], tuple(header[:-1]))

    def to_csv(self) -> str:
        """The points as a CSV file, in as many digits as they have."""
        lines = [",".join([*("x1", "x2")[: self.X.shape[1]], "y"])]
        lines += [
            ",".join(map(repr, [*x, target]))
            for x, target in zip(self.X.tolist(), self.y.tolist(), strict=True)
        ]
        return "\n".join(lines) + "\n"

    def with_point(self, x: tuple[float, float], target: float) -> Points:
        """The same with one more point."""
        target_type = int if self.has_classes else float
        return Points(
            np.vstack([self.X, np.asarray(x)[: self.X.shape[1]]]),
            np.append(self.y, target_type(target)),
            self.has_classes,
            self.names,
        )


def standardised(values: FloatArray) -> FloatArray:
    """Mean 0 and standard deviation 1; a constant column becomes 0."""
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
