"""Where rows and cursors land together: dlt's pipeline, kept to a connection's folder.

A load package of dlt holds the rows of a portion and the state that goes with them. It is finished by the next run
where this one is killed, so that rows without their cursor, or a cursor without its rows, cannot be. Whole files are
then moved to their place in the lake.

dlt knows of nothing outside the folder here: no settings of the user's or the machine's, no telemetry, no log.
"""

from __future__ import annotations

import errno
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadlight.errors import StoreError
from leadlight.sources.lake import RAW, escaped

if TYPE_CHECKING:
    import dlt

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
WORK, LANDING, ROWS = "work", "landing", "rows"
OURS = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")
"""What dlt notes beside the rows; nobody reads it here."""
SETTINGS: Mapping[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "schema": {"naming": "direct"},
    "normalize": {"parquet_normalizer": {"add_dlt_load_id": False}, "workers": 1},
    "load": {"delete_completed_jobs": True, "workers": 1},
    "restore_from_destination": False,
}

NAIVE: Mapping[str, Any] = {"data_type": "timestamp", "timezone": False}
"""How dlt is told that times have no zone: they are UTC."""

_one_at_a_time = threading.Lock()
"""dlt's settings are one for a process."""


class Landing:
    """Rows and states of a connection's objects."""

    def __init__(self, folder: Path, connection: str) -> None:
        self._folder, self._name = folder.absolute(), connection

    def states(self) -> dict[str, Mapping[str, Any]]:
        """Return the state of each object, by its name as a table; finishes what a killed run has left behind.

        Where that cannot be finished (files that were half written when it was killed), all is begun anew: what was
        kept already is known from the lake, and costs only time.
        """
        self._mend()
        try:
            return self._states()
        except StoreError as error:
            if _is_full(error):
                raise
        except Exception as error:  # dlt cannot read its own notes
            if _is_full(error):
                raise
        self._forget()
        return self._states()

    def _forget(self) -> None:
        """Remove dlt's notes and what waits to be landed: in one step, so that no cursor is left without its rows."""
        if (self._folder / WORK).exists():
            (self._folder / WORK).rename(self._folder / f"{WORK}-{secrets.token_hex(3)}")
        shutil.rmtree(self._folder / LANDING, ignore_errors=True)
        self._mend()

    def _mend(self) -> None:
        """Remove what was being removed when a run was killed: packages that were passed on, notes of no use."""
        for path in (self._folder / WORK / self._name / "normalize" / "extracted").glob("*"):
            if not (path / "schema.json").exists():
                shutil.rmtree(path, ignore_errors=True)
        for path in self._folder.glob(f"{WORK}-*"):
            shutil.rmtree(path, ignore_errors=True)

    def _states(self) -> dict[str, Mapping[str, Any]]:
        with self._pipeline() as pipeline:
            if pipeline.has_pending_data:
                pipeline.normalize()
                pipeline.load()
            held: Mapping[str, Any] = pipeline.state.get("sources") or {}
            resources: Mapping[str, Any] = held.get(self._name, {}).get("resources") or {}
            return {table: dict(state) for table, state in resources.items()}

    def land(self, name: str, rows: pa.Table, state: Mapping[str, Any]) -> list[Path]:
        """Keep rows of an object and its state, both or neither; return the new files."""
        table = escaped(name)
        with self._pipeline() as pipeline:
            import dlt

            hints: Any = {field.name: dict(NAIVE) for field in rows.schema if pa.types.is_timestamp(field.type)}

            @dlt.resource(name=table, write_disposition="append", file_format="parquet", columns=hints)
            def resource() -> Iterator[pa.Table]:
                dlt.current.resource_state().clear()
                dlt.current.resource_state().update(state)
                if rows.num_rows:
                    yield rows

            pipeline.run(resource(), loader_file_format="parquet")
        return self.landed(name)

    def landed(self, name: str) -> list[Path]:
        """Return the files of an object that wait to be moved to their place, the oldest first."""
        return sorted((self._folder / LANDING / ROWS / escaped(name)).glob("*.parquet"))

    def tidy(self) -> None:
        """Remove what dlt keeps of work that is done."""
        for path in (*(self._folder / LANDING / ROWS / name for name in OURS), self._loaded):
            shutil.rmtree(path, ignore_errors=True)

    @property
    def _loaded(self) -> Path:
        return self._folder / WORK / self._name / "load" / "loaded"

    @contextmanager
    def _pipeline(self) -> Iterator[dlt.Pipeline]:
        """Yield dlt's pipeline, which knows of nothing but this folder. Raises StoreError."""
        from leadlight.connect.registry import need_extra

        need_extra()
        with _one_at_a_time, _settled(self._folder):
            import dlt
            from dlt.destinations import filesystem
            from dlt.pipeline.exceptions import PipelineStepFailed

            destination = filesystem(
                bucket_url=str(self._folder / LANDING),
                layout="{table_name}/{load_id}.{file_id}.{ext}",
                warn_unsafe_layout_separators=False,
            )
            pipeline = dlt.pipeline(
                self._name, pipelines_dir=str(self._folder / WORK), destination=destination, dataset_name=ROWS
            )
            try:
                yield pipeline
            except PipelineStepFailed as error:
                raise StoreError(
                    f"what was read of {self._name} cannot be kept: {error.exception}",
                    fix=f"See that {self._folder / RAW} can be written to, and that there is room.",
                ) from error
            finally:
                pipeline.deactivate()


def _is_full(error: BaseException) -> bool:
    """Say whether there is no room, or no right to write, so that beginning anew would not help."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


@contextmanager
def _settled(folder: Path) -> Iterator[None]:
    """Let dlt's settings be ours alone for a while."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    from leadlight.connect.own_context import OwnContext

    with Container().injectable_context(PluggableRunContext(OwnContext(str(folder)))):
        yield
