"""What both families of estimators do around a fit, once: checks, targets, words.

Nothing here knows a network for tables from a drop-in one; both import it, and it imports neither.
"""
