"""Sources and the store: what their words alone can tell to be wrong."""

from __future__ import annotations

import codecs
import zoneinfo

from leadlight.errors import did_you_mean, shorten
from leadlight.spec import models
from leadlight.spec.findings import Findings
from leadlight.spec.marks import Path

NO_ACCOUNTS = "no source says which account a lead belongs to: name the column with `account:` in a source of leads"
DATES = ("day_first", "month_first", "unix")


def check_sources(spec: models.WorkspaceSpec, findings: Findings) -> None:
    """Check the store's address and each source's zone, encoding, delimiter and dates."""
    kind, _, rest = spec.store.partition(":")
    if not rest or kind not in ("duckdb", "postgresql", "postgres") or (kind != "duckdb" and not rest.startswith("//")):
        findings.error(f"the store is duckdb:FILE or postgresql://…; found {shorten(spec.store)}", ("store",))
    for name, source in spec.sources.items():
        _check_source(source, ("sources", name), findings)


def check_accounts(spec: models.WorkspaceSpec, findings: Findings) -> None:
    """Warn of features over accounts where no lead can have one."""
    if has_accounts(spec):
        return
    for name, feature in spec.features.items():
        if isinstance(feature, models.AccountFeature):
            findings.warn(NO_ACCOUNTS, ("features", name), on_key=True)


def has_accounts(spec: models.WorkspaceSpec) -> bool:
    """Say whether leads can have accounts, as far as the sources tell."""
    leads = [source for source in spec.sources.values() if source.role is models.SourceKind.LEADS]
    return not leads or any(source.account is not None for source in leads)


def _check_source(source: models.SourceSpec, path: Path, findings: Findings) -> None:
    if not _is_zone(source.timezone):
        near = did_you_mean(source.timezone, zoneinfo.available_timezones()).partition("? Known")[0]
        hint = f"{near}?" if near.startswith("did") else "write one like Europe/Berlin"
        findings.error(f"unknown time zone {shorten(source.timezone)}: {hint}", (*path, "timezone"))
    if source.encoding is not None and not _is_encoding(source.encoding):
        message = f"unknown encoding {shorten(source.encoding)}: write one like utf-8, latin-1 or cp1252"
        findings.error(message, (*path, "encoding"))
    if source.delimiter is not None and len(source.delimiter) != 1:
        findings.error(f"a delimiter is one character; found {shorten(source.delimiter)}", (*path, "delimiter"))
    if source.dates is not None and source.dates not in DATES and "%" not in source.dates:
        known = "day_first, month_first, unix, or a format such as %d.%m.%Y"
        findings.error(f"unknown way to write times {shorten(source.dates)}: known are {known}", (*path, "dates"))


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return True
