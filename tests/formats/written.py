"""Tables that SQL wrote, read by other engines: delta-rs, Polars, DuckDB and pyarrow see what the server sees.

    python tests/formats/written.py FOLDER      the folder of a writable source, of the server of PGHOST and PGPORT
"""
import datetime as dt
import decimal
import pathlib
import sys

import deltalake
import duckdb
import polars as pl
import psycopg
import pyarrow as pa

UTC = dt.timezone.utc
COLUMNS = """id int NOT NULL, small smallint, big bigint, half real, whole double precision, money numeric(12, 2),
    wide numeric(38, 10), name text, short varchar(5), day date, wall timestamp, at timestamptz, raw bytea, ok boolean,
    list int[]"""
ROW = (
    1, 2, 2**40, 0.5, -1e300, decimal.Decimal("-12.34"), decimal.Decimal("1234567890123456789012345678.0123456789"),
    "größer \U0001f600", "five!", dt.date(1969, 12, 31), dt.datetime(2026, 1, 2, 3, 4, 5, 678901),
    dt.datetime(1583, 1, 2, 3, 4, 5, 1, UTC), b"\x00\xff", True, [1, None, 3],
)
NULLS = (2, *[None] * (len(ROW) - 1))


def equal(found, expected, what):
    if found != expected:
        sys.exit(f"{what}:\n  {found}\n  expected\n  {expected}")


def plain(row):
    """A row as Python has it, whichever engine gave it."""
    return tuple(bytes(value) if isinstance(value, (bytearray, memoryview)) else value for value in row)


def main():
    folder = pathlib.Path(sys.argv[1])
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE public.written ({COLUMNS})")
        holes = ", ".join(["%s"] * len(ROW))
        with connection.transaction():
            connection.cursor().executemany(f"INSERT INTO written VALUES ({holes})", [ROW, NULLS])
        with connection.cursor().copy("COPY written (id, name) FROM STDIN") as copy:
            for number in range(3, 1003):
                copy.write_row((number, f"copied {number}"))
        connection.execute("UPDATE written SET name = 'changed' WHERE id BETWEEN 10 AND 19")
        connection.execute("DELETE FROM written WHERE id >= 1000")
        connection.execute("""CREATE TABLE parts PARTITIONED BY (day, n) AS
            SELECT id, id % 3 AS n, date '2026-01-01' + id % 2 AS day FROM written WHERE id < 100""")
        expected = connection.execute("SELECT id, name FROM written ORDER BY id").fetchall()
        parts = connection.execute("SELECT id, n, day FROM parts ORDER BY id").fetchall()
    table = deltalake.DeltaTable(str(folder / "public/written"))
    frame = pl.read_delta(str(folder / "public/written")).sort("id")
    equal(frame.select("id", "name").rows(), expected, "Polars")
    equal(plain(frame.row(0)), ROW, "Polars, all types")
    equal(plain(frame.row(1)), NULLS, "Polars, nulls")
    arrow = table.to_pyarrow_dataset().to_table()
    rows = duckdb.sql("SELECT id, name FROM arrow ORDER BY id").fetchall()
    equal(rows, expected, "DuckDB")
    equal(arrow.schema.field("money").type, pa.decimal128(12, 2), "the type of a numeric")
    changed = pl.scan_delta(str(folder / "public/written")).filter(pl.col("name") == "changed").collect()
    equal(changed.height, 10, "Polars, with a filter")
    read = pl.read_delta(str(folder / "public/parts")).sort("id")
    equal(read.select("id", "n", "day").rows(), parts, "Polars, partitions")
    deltalake.write_deltalake(str(folder / "public/parts"), read.slice(0, 1).to_arrow(), mode="append")
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("REFRESH TABLE parts")
        connection.execute("INSERT INTO parts VALUES (1000, 1, '2026-01-02')")
        equal(connection.execute("SELECT count(*) FROM parts").fetchone()[0], len(parts) + 2, "after delta-rs wrote too")
    print(f"{len(expected) + len(parts)} rows are the same in every engine")


if __name__ == "__main__":
    main()
