from itertools import pairwise

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.progress import watched


def test_share_rises_and_settings_come_back(engine: DuckDBEngine, capfd) -> None:
    names = ("enable_progress_bar", "enable_progress_bar_print", "progress_bar_time")
    before = [engine.rows(f"SELECT current_setting('{name}')") for name in names]
    shares: list[float] = []
    with watched(engine, shares.append):
        engine.execute("CREATE TEMP TABLE t AS SELECT md5(i::VARCHAR) AS h FROM range(6_000_000) AS r(i) ORDER BY h")
    assert all(0 < a < b <= 1 for a, b in pairwise(shares))
    assert [engine.rows(f"SELECT current_setting('{name}')") for name in names] == before
    assert capfd.readouterr().out == ""
