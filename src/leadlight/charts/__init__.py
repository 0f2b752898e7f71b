"""Charts: Vega-Lite specs as data, and a thin renderer."""
