"""How fast the drop-in is beside its peers: one run of many sections, and one report."""
