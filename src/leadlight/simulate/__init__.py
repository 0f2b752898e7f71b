"""A world of leads whose true probabilities are known; any size, from a seed."""

from leadlight.simulate.report import SimulationReport
from leadlight.simulate.run import simulate
from leadlight.simulate.world import World

__all__ = ["SimulationReport", "World", "simulate"]
