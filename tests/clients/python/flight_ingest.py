"""ADBC's bulk ingest into a lake that may be written: every mode, every type, and loads that are sent twice.

Takes FLIGHT_PORT from the environment, beside what `checks` takes.
"""
import datetime as dt
import decimal
import os

import adbc_driver_flightsql.dbapi as flightsql
import pandas as pd
import polars as pl
import pyarrow as pa

from adbc_checks import refused
from checks import DATABASE, HOST, USER, Checks, equal

URI = f"grpc://{HOST}:{os.environ['FLIGHT_PORT']}"
ID = "adbc.flight.sql.rpc.call_header.lakegate-ingest-id"


def connect(**options):
    return flightsql.connect(URI, db_kwargs={"username": USER, "password": "none", **options}, autocommit=True)


def rows(cursor, sql):
    cursor.execute(sql)
    return cursor.fetchall()


def numbers(*values):
    return pa.table({"id": pa.array(values, pa.int64())})


def modes():
    with connect() as connection, connection.cursor() as cursor:
        refused(lambda: cursor.adbc_ingest("m", numbers(1), mode="append"), "relation \"m\" does not exist", "42P01")
        equal(cursor.adbc_ingest("m", numbers(1, 2), mode="create"), 2)
        refused(lambda: cursor.adbc_ingest("m", numbers(3), mode="create"), "relation \"m\" already exists", "42P07")
        equal(cursor.adbc_ingest("m", numbers(3), mode="append"), 1)
        equal(cursor.adbc_ingest("m", numbers(4), mode="create_append"), 1)
        equal(rows(cursor, "SELECT id FROM m ORDER BY id"), [(1,), (2,), (3,), (4,)])
        equal(cursor.adbc_ingest("m", pa.table({"other": ["x"]}), mode="replace"), 1)
        equal(rows(cursor, "SELECT * FROM m"), [("x",)])
        equal(cursor.adbc_ingest("n", numbers(5), mode="create_append", catalog_name=DATABASE, db_schema_name="public"), 1)
        equal(rows(cursor, "SELECT id FROM public.n"), [(5,)])
        refused(lambda: cursor.adbc_ingest("m", numbers(1), mode="append"), "column \"id\" of relation", "42703")
        # A cursor keeps what it was told.
        for wrong, told in (({"catalog_name": "other"}, "3D000"), ({"temporary": True}, "0A000")):
            with connection.cursor() as other:
                refused(lambda: other.adbc_ingest("m", numbers(1), mode="append", **wrong), told)


def types():
    at = dt.datetime(2024, 2, 29, 13, 14, 15, 123456)
    columns = {
        "b": (pa.bool_(), [True, False, None]), "i16": (pa.int16(), [-32768, 7, None]),
        "i32": (pa.int32(), [2147483647, -1, None]), "i64": (pa.int64(), [-2**63, 5, None]),
        "f32": (pa.float32(), [0.5, -1.25, None]), "f64": (pa.float64(), [0.1, float("inf"), None]),
        "n": (pa.decimal128(38, 10), [decimal.Decimal("1.5000000000"), decimal.Decimal("-2.0000000000"), None]),
        "s": (pa.string(), ["", "naïve 😀\n", None]), "bytes": (pa.binary(), [b"", b"\x00\xff", None]),
        "day": (pa.date32(), [dt.date(2024, 2, 29), dt.date(1, 1, 1), None]),
        "local": (pa.timestamp("us"), [at, dt.datetime(1969, 12, 31), None]),
        "instant": (pa.timestamp("us", "UTC"), [at.replace(tzinfo=dt.timezone.utc)] * 2 + [None]),
        "list": (pa.list_(pa.int32()), [[1, None, 3], [], None]), "words": (pa.list_(pa.string()), [["a", "b c"], [None], None]),
    }
    table = pa.table({name: pa.array(values, of) for name, (of, values) in columns.items()})
    with connect() as connection, connection.cursor() as cursor:
        for mode in ("create", "append", "replace"):
            equal(cursor.adbc_ingest("kinds", table, mode=mode), 3)
        cursor.execute("SELECT * FROM kinds")
        found = cursor.fetch_arrow_table()
        equal(found.schema.names, table.schema.names)
        for name in table.schema.names:
            equal((name, str(found[name].type)), (name, str(table[name].type)))
            equal(found[name].to_pylist(), table[name].to_pylist())
        for name, of in (("odd", pa.duration("s")), ("odd", pa.struct([("a", pa.int32())])), ("odd", pa.time64("us"))):
            odd = pa.table({name: pa.array([None], of)})
            refused(lambda: cursor.adbc_ingest("odd", odd, mode="create"), "column \"odd\" of type", "0A000")


def readers():
    def batches():
        for start in range(0, 200_000, 10_000):
            yield pa.record_batch({"id": pa.array(range(start, start + 10_000), pa.int64())})

    schema = pa.schema([("id", pa.int64())])
    with connect() as connection, connection.cursor() as cursor:
        equal(cursor.adbc_ingest("many", pa.RecordBatchReader.from_batches(schema, batches()), mode="create"), 200_000)
        equal(rows(cursor, "SELECT count(*), sum(id)::int8 FROM many"), [(200_000, 199_999 * 100_000)])

        def breaking():
            yield from list(batches())[:3]
            raise RuntimeError("the client has no more")

        reader = pa.RecordBatchReader.from_batches(schema, breaking())
        refused(lambda: cursor.adbc_ingest("many", reader, mode="append"), "")
        equal(rows(cursor, "SELECT count(*) FROM many"), [(200_000,)])
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        refused(lambda: cursor.adbc_ingest("many", reader, mode="create"), "")
        equal(rows(cursor, "SELECT count(*) FROM many"), [(200_000,)])


def frames():
    frame = pd.DataFrame({"name": pd.Categorical(["a", "b", "a"]), "value": [1.5, None, 2.5],
                          "at": pd.to_datetime(["2024-01-01 12:34:56.123456", None, "2024-01-02 00:00:00.000000"])})
    with connect() as connection, connection.cursor() as cursor:
        equal(cursor.adbc_ingest("pandas", pa.Table.from_pandas(frame, preserve_index=False), mode="replace"), 3)
        equal(rows(cursor, "SELECT name, value FROM pandas ORDER BY 1, 2"), [("a", 1.5), ("a", 2.5), ("b", None)])
        lazily = pl.DataFrame({"name": ["x", "y"], "value": [1, 2]})
        equal(cursor.adbc_ingest("polars", lazily.to_arrow(), mode="create"), 2)
        equal(rows(cursor, "SELECT name, value FROM polars ORDER BY 1"), [("x", 1), ("y", 2)])
        equal(lazily.write_database("polars", connection, if_table_exists="append", engine="adbc"), 2)
        equal(rows(cursor, "SELECT count(*) FROM polars"), [(4,)])


def once():
    for _ in range(2):
        with connect(**{ID: "first"}) as connection, connection.cursor() as cursor:
            equal(cursor.adbc_ingest("once", numbers(1, 2, 3), mode="create"), 3)
    for _ in range(2):
        with connect(**{ID: "second"}) as connection, connection.cursor() as cursor:
            equal(cursor.adbc_ingest("once", numbers(*range(50_000)), mode="append"), 50_000)
            equal(rows(cursor, "SELECT count(*) FROM once"), [(50_003,)])


def counts():
    with connect() as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("counted", numbers(1, 2, 3), mode="create")
        cursor.executemany("INSERT INTO counted VALUES ($1)", [(4,), (5,)])
        equal(cursor.rowcount, 2)
        equal(rows(cursor, "SELECT count(*) FROM counted"), [(5,)])


checks = Checks()
for check in (modes, types, readers, frames, once, counts):
    checks.run(check.__name__, check)
checks.end()
