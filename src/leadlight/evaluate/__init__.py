"""How good a scorecard is: splits in time, metrics with intervals, thresholds, drift, fairness."""
