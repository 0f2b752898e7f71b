"""What leadlight.yaml says of a database: where it is, and which columns of its tables mean what."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from leadlight.connect.protocol import About, Limits, Secret, Settings

PAGE, BATCH = 5_000, 500

ABOUT = About(
    name="sql",
    title="SQL database",
    secrets=(
        Secret(
            "password",
            "LEADLIGHT_SQL_PASSWORD",
            "the password of the database's user in `url`; a user of its own that may only read (and update the "
            "columns that take scores) is best: CREATE ROLE leadlight LOGIN PASSWORD '…'; GRANT SELECT ON …",
            needed=False,
        ),
    ),
    limits=Limits(per_second=1_000, batch=BATCH, page=PAGE),
    documentation="https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls",
    scopes=("SELECT on the tables", "UPDATE on the columns that take scores"),
)

Column = Annotated[str, Field(min_length=1)]


class TableSettings(BaseModel):
    """What the columns of a table mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Column | None = Field(None, description="the column that tells rows apart; the primary key unless told")
    created_at: Column | None = Field(None, description="the column that says when a row came to exist")
    modified_at: Column | None = Field(
        None, description="the column that grows with each change (a time, a version); without it all is read each time"
    )
    deleted_at: Column | None = Field(None, description="the column that is set (or true) for rows that are deleted")


class SqlSettings(Settings):
    """Settings of sql."""

    url: str = Field(
        description="where it is, without a password: postgresql+psycopg://reader@db.example/crm, sqlite:////srv/crm.db"
    )
    db_schema: str | None = Field(None, description="the schema of the tables, where it is not the usual one")
    timezone: str = Field("UTC", description="the time zone of times that are stored without one")
    tables: dict[str, TableSettings] = Field(
        default_factory=dict,
        description="what columns mean: {leads: {modified_at: updated_at, created_at: created_at}}",
    )
    page: int = Field(PAGE, ge=1, le=PAGE, description="rows of one query")
    overlap_seconds: int = Field(300, ge=0, description="how long a transaction may take: so far back is read again")
    sweep_hours: float = Field(24, ge=0, description="how often is looked for rows that were deleted; 0: never")

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            secret = bool(parts.password) or "password=" in parts.query.lower()
        except ValueError:
            parts, secret = urlsplit(""), False
        if secret:
            raise ValueError('no password stands in leadlight.yaml: write `secrets: {password: "${VARIABLE}"}`')
        if not parts.scheme:
            raise ValueError("write DIALECT+DRIVER://USER@HOST/DATABASE, as in postgresql+psycopg://reader@db/crm")
        return url

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{name!r} is no time zone: write one as in Europe/Berlin") from None
        return name

    def table(self, name: str) -> TableSettings:
        """Return what is said of a table."""
        return self.tables.get(name, TableSettings())

    def zone(self) -> ZoneInfo:
        """Return the time zone of times without one."""
        return ZoneInfo(self.timezone)
