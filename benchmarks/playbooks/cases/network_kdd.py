"""Network on NSL-KDD: connections of a simulated network, learned from its train file and judged by its test file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

COLUMNS = (
    "duration", "protocol", "service", "flag", "src_bytes", "dst_bytes", "land", "wrong_fragment", "urgent", "hot",
    "failed_logins", "logged_in", "compromised", "root_shell", "su_attempted", "root_accesses", "file_creations",
    "shells", "access_files", "outbound_cmds", "host_login", "guest_login", "count", "srv_count", "serror_rate",
    "srv_serror_rate", "rerror_rate", "srv_rerror_rate", "same_srv_rate", "diff_srv_rate", "srv_diff_host_rate",
    "dst_host_count", "dst_host_srv_count", "dst_host_same_srv_rate", "dst_host_diff_srv_rate",
    "dst_host_same_src_port_rate",
    "dst_host_srv_diff_host_rate", "dst_host_serror_rate", "dst_host_srv_serror_rate", "dst_host_rerror_rate",
    "dst_host_srv_rerror_rate", "attack", "difficulty",
)  # fmt: skip
FILES = {"KDDTrain+_20Percent.txt.gz": "i * INTERVAL 3 MINUTE", "KDDTest+.txt.gz": "INTERVAL 60 DAY"}
"""File → how long after 1 January its rows are. The files have no times: those of the train file are made up, so
that all of it comes before the test file, which is judged by."""
KINDS = {
    "dos": "back land neptune pod smurf teardrop apache2 mailbomb processtable udpstorm",
    "probe": "ipsweep nmap portsweep satan mscan saint",
    "root": "buffer_overflow loadmodule perl rootkit ps sqlattack xterm",
    "normal": "normal",
}
"""The kinds of attack of the KDD 1999 task; all others got in from outside."""


def prepare(raw: Path, folder: Path) -> None:
    """Give the rows numbers, names and a day; the attack's name becomes its kind. The difficulty is left out."""
    database = duckdb.connect()
    database.execute("CREATE TABLE kinds (attack VARCHAR, category VARCHAR)")
    database.executemany(
        "INSERT INTO kinds VALUES (?, ?)", [(name, kind) for kind, names in KINDS.items() for name in names.split()]
    )
    for file, after in FILES.items():
        names = "[" + ", ".join(f"'{name}'" for name in COLUMNS) + "]"
        database.execute(
            f"{'INSERT INTO flows' if file != next(iter(FILES)) else 'CREATE TABLE flows AS'} "
            f"SELECT '{file[3:7]}-' || i AS flow, TIMESTAMP '2026-01-01' + {after} AS seen_at, "
            f"* EXCLUDE (difficulty, i) "
            f"FROM (SELECT *, row_number() OVER () AS i "
            f"FROM read_csv('{raw / file}', header = false, names = {names}))"
        )
    database.execute(f"COPY (SELECT * EXCLUDE (attack) FROM flows) TO '{folder / 'data' / 'connections.csv'}' (HEADER)")
    database.execute(
        f"COPY (SELECT flow, seen_at + INTERVAL 1 HOUR AS \"at\", coalesce(category, 'access') AS category "
        f"FROM flows LEFT JOIN kinds USING (attack)) TO '{folder / 'data' / 'findings.csv'}' (HEADER)"
    )
    set_sources(
        folder,
        {
            "connections": {"csv": "data/connections.csv", "id": "flow", "created_at": "seen_at"},
            "findings": {"csv": "data/findings.csv", "lead": "flow", "at": "at", "outcome": "category"},
        },
    )


CASE = Case(
    name="network: NSL-KDD",
    playbook="network",
    data="net_nsl_kdd",
    scorecard="attack",
    outcome="attack",
    prepare=prepare,
    now=datetime(2026, 4, 1),
    capacity=0.2,
    rows="a connection of the simulated network of 1998, when it ended",
    practice={"rate: connections in two seconds": "count", "error rate": "error_rate"},
    notes="No times: the train file (its published fifth) is learned from, the test file judged by; 18 kinds of "
    "attack in the "
    "test file do not occur in the train file. Simulated traffic says little of a network of today. More than half of "
    "the test file are attacks, so that the first 20 % can hold a third of them at most.",
)
