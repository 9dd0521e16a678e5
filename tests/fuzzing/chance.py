"""What is drawn seldom, and shrinks to what is usual."""

from hypothesis import strategies as st


def seldom(n):
    """True in one of n draws."""
    return st.sampled_from([False] * (n - 1) + [True])


def mostly(usual, other, n):
    """What is usual, but for one of n draws."""
    return seldom(n).flatmap(lambda is_other: other if is_other else usual)
