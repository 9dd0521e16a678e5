"""Hardware, not mathematics: skip it at first reading.

What makes the same formulas faster: arrays that begin at a line of the processor's cache (``memory``), large
arrays taken by parts that fit into the cache (``blocks``), and threads that share the rows (``threads``).
"""
