"""Frames of pandas, polars and their like, column by column."""


def is_frame(X):
    """Whether X is a frame of pandas, polars or their like, whose columns have dtypes of their own."""
    return hasattr(X, "shape") and hasattr(X, "dtypes") and hasattr(X, "columns")  # a lazy frame has no shape


def named_columns(X):
    """The columns with the names that messages call them by.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        Data.

    Returns
    -------
    list of (str, Series or ndarray)
        One pair for each column.
    """
    if is_frame(X):
        # by position where pandas can: names may be there twice
        columns = [X.iloc[:, i] if hasattr(X, "iloc") else X[name] for i, name in enumerate(X.columns)]
        return list(zip(map(str, X.columns), columns, strict=True))
    return [(f"x{i}", X[:, i]) for i in range(X.shape[1])]
