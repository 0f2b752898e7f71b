"""Scorecards learned from outcomes: training table, fitting, calibration, intervals, small data, provenance."""
