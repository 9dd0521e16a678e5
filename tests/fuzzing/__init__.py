"""What the fuzz test draws: parameters, tables, targets and walks through the methods of an estimator."""
