"""Writes the Delta tables of `lake/` with the `deltalake` package: python tests/delta/write.py

They are committed, so that the tests need no Python. Files have random names: every run writes others.
"""

import datetime as dt
import decimal
import pathlib
import shutil

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

HERE = pathlib.Path(__file__).parent / "lake"
UTC = dt.timezone.utc


def table(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    return str(path)


def kinds():
    """Every type; two commits, of which the second adds a column."""
    path = table("delta/kinds")
    day, at = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 30, 0, 123456)
    first = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "small": pa.array([-3, None], pa.int16()),
            "tiny": pa.array([7, None], pa.int8()),
            "real": pa.array([1.5, None], pa.float32()),
            "double": pa.array([float("nan"), None], pa.float64()),
            "money": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(12, 2)),
            "word": pa.array(["käse", None], pa.string()),
            "bytes": pa.array([b"\x00\xff", None], pa.binary()),
            "yes": pa.array([True, None], pa.bool_()),
            "day": pa.array([day, None], pa.date32()),
            "at": pa.array([at.replace(tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "naive": pa.array([at, None], pa.timestamp("us")),
            "list": pa.array([[1, None, 3], None], pa.list_(pa.int32())),
            "pair": pa.array([{"a": 1, "b": "x"}, None], pa.struct([("a", pa.int32()), ("b", pa.string())])),
        }
    )
    write_deltalake(path, first)
    second = pa.table({"id": pa.array([3], pa.int64()), "added": pa.array(["new"], pa.string())})
    write_deltalake(path, second, mode="append", schema_mode="merge")


def parts():
    """Partitions, rows deleted, files rewritten, a checkpoint, and a commit behind it."""
    path = table("delta/parts")
    for number in range(4):
        rows = pa.table(
            {
                "station": ["a b/ä", "x=1", None],
                "day": pa.array([dt.date(2024, 1, 1 + number)] * 3, pa.date32()),
                "n": pa.array([number * 10 + 1, number * 10 + 2, number * 10 + 3], pa.int64()),
            }
        )
        write_deltalake(path, rows, mode="append", partition_by=["station", "day"])
    delta = DeltaTable(path)
    delta.delete("n = 11")
    delta.update(updates={"n": "n + 100"}, predicate="n = 22")
    delta.create_checkpoint()
    write_deltalake(path, rows, mode="append")
    DeltaTable(path).optimize.compact()


def overwritten():
    """A table whose first files are gone from it, and from the folder."""
    path = table("delta/overwritten")
    for number in range(3):
        write_deltalake(path, pa.table({"version": pa.array([number] * 3, pa.int64())}), mode="overwrite")
    DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


kinds()
parts()
overwritten()
for name in ["kinds", "parts", "overwritten"]:
    print(name, DeltaTable(str(HERE / "delta" / name)).to_pyarrow_table().to_pylist())
