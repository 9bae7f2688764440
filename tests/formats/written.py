"""Tables that SQL wrote, read by other engines: delta-rs, Polars, DuckDB and pyarrow see what the server sees.

    python tests/formats/written.py FOLDER      the folder of a writable source, of the server of PGHOST and PGPORT
"""
import datetime as dt
import decimal
import os
import pathlib
import sys
import time

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


TEXTS = ["a", None, "a b/c=%2F\"\u00e4", "x\\y", "'--", "+&?#", "%25", "."]
DAY = 86_400


def until(done, what):
    """Waits for what the server does behind a statement."""
    end = time.monotonic() + 60
    while not done():
        if time.monotonic() > end:
            sys.exit(f"{what} never came")
        time.sleep(0.05)


def age(log, days):
    for path in log.iterdir():
        os.utime(path, (time.time() - days * DAY,) * 2)


def long_log(folder):
    """A table of many commits, of which the first are gone."""
    log = folder / "public/long/_delta_log"
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("""CREATE TABLE long (id int, name text, moment timestamptz, wall timestamp, day date, v numeric(8, 2))
            PARTITIONED BY (name, moment, wall)""")
        for number in range(26):
            at = dt.datetime(2026, 1, 1 + number % 3, 4, 5, 6, 7, UTC)
            row = (number, TEXTS[number % len(TEXTS)], at, None if number % 4 == 0 else at.replace(tzinfo=None), at.date(), number)
            connection.execute("INSERT INTO long VALUES (%s, %s, %s, %s, %s, %s)", row)
            if number == 12:
                connection.execute("UPDATE long SET v = v + 0.5 WHERE id % 2 = 0")
                connection.execute("DELETE FROM long WHERE name = '+&?#'")
                until((log / f"{10:020}.checkpoint.parquet").exists, "the first checkpoint")
                age(log, 40)
                connection.execute("REFRESH TABLE long")
        until(lambda: not (log / f"{9:020}.json").exists(), "the end of old commits")
        connection.execute("OPTIMIZE long")
        connection.execute("REFRESH TABLE long")
        columns = "id, name, moment, wall, day, v"
        expected = connection.execute(f"SELECT {columns} FROM long ORDER BY id").fetchall()
    equal((log / f"{0:020}.json").exists(), False, "the first commit")
    table = deltalake.DeltaTable(str(folder / "public/long"))
    equal(table.version(), 29, "the version in delta-rs")
    arrow = table.to_pyarrow_dataset().to_table()
    rows = duckdb.sql(f"SELECT {columns} FROM arrow ORDER BY id").fetchall()
    equal([(*row[:2], row[2].astimezone(UTC), *row[3:]) for row in rows], expected, "DuckDB, after a clean-up")
    read = pl.read_delta(str(folder / "public/long")).sort("id")
    equal(read.select(columns.split(", ")).rows(), expected, "Polars, after a clean-up")
    picked = pl.scan_delta(str(folder / "public/long")).filter(pl.col("name") == TEXTS[2]).collect()
    equal(sorted(picked["id"]), [row[0] for row in expected if row[1] == TEXTS[2]], "Polars, one partition")
    old = deltalake.DeltaTable(str(folder / "public/long"), version=20)
    equal(old.version(), 20, "an earlier version in delta-rs")
    # It makes a checkpoint of its own of what it has read, and goes on.
    table.create_checkpoint()
    deltalake.write_deltalake(str(folder / "public/long"), read.slice(0, 1).to_arrow(), mode="append")
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("REFRESH TABLE long")
        equal(connection.execute("SELECT count(*) FROM long").fetchone()[0], len(expected) + 1, "after delta-rs wrote too")
    return len(expected)


def nested(folder):
    """A table of delta-rs with nested columns and statistics, of which the server writes the checkpoint."""
    path = folder / "public/nested"
    for number in range(9):
        rows = pa.table({"id": [number], "pair": [{"a": number, "b": {"c": f"t{number}"}}], "list": [[{"d": number}]]})
        deltalake.write_deltalake(str(path), rows, mode="append")
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("REFRESH TABLE nested")
        connection.execute("DELETE FROM nested WHERE id = 3")
        connection.execute("DELETE FROM nested WHERE id = 4")
    until((path / f"_delta_log/{10:020}.checkpoint.parquet").exists, "the checkpoint of a table of delta-rs")
    until((path / "_delta_log/_last_checkpoint").exists, "the hint of a table of delta-rs")
    for number in range(10):
        (path / f"_delta_log/{number:020}.json").unlink()
    table = deltalake.DeltaTable(str(path))
    read = table.to_pyarrow_dataset().to_table().sort_by("id")
    equal(read["id"].to_pylist(), [0, 1, 2, 5, 6, 7, 8], "delta-rs, nested")
    equal(read["pair"].to_pylist()[3], {"a": 5, "b": {"c": "t5"}}, "delta-rs, a nested value")
    stats = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    equal(sorted(stat["min.pair.b.c"] for stat in stats), [f"t{n}" for n in (0, 1, 2, 5, 6, 7, 8)], "nested statistics")


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
    nested(folder)
    print(f"{len(expected) + len(parts) + long_log(folder)} rows are the same in every engine")


if __name__ == "__main__":
    main()
