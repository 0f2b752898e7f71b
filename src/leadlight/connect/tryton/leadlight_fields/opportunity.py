"""The fields."""

# mypy: ignore-errors
# (trytond, which this is imported by, is not installed where Leadlight is)

from trytond.model import fields
from trytond.pool import PoolMeta


class Opportunity(metaclass=PoolMeta):
    """A lead or an opportunity, with its score."""

    __name__ = "sale.opportunity"

    leadlight_score = fields.Float("Leadlight score", help="Points of the lead; written by Leadlight.")
    leadlight_grade = fields.Char("Leadlight grade", help="Grade of the lead; written by Leadlight.")
    leadlight_probability = fields.Float(
        "Leadlight probability", help="How likely the lead is won, from 0 to 1; written by Leadlight."
    )
    leadlight_reasons = fields.Text("Leadlight reasons", help="Why it has its score; written by Leadlight.")
    leadlight_next_step = fields.Text(
        "Leadlight next step", help="What those who were won did next; written by Leadlight."
    )
    leadlight_scored_at = fields.DateTime("Leadlight scored at", help="When it was scored last; written by Leadlight.")
