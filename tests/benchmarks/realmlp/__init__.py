"""How good RealMLP is on tables, and whether it is the published method."""
