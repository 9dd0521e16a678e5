"""Hardware, not mathematics: skip it at first reading.

Three things make the same formulas faster: arrays that begin at a line of the processor's cache (``memory``),
large arrays in parts that fit into the cache (``blocks``), and threads that share the rows (``threads``).
"""
