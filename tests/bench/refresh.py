#!/usr/bin/env python3
"""Materialized views over many files: the first build, one more file, and nothing new.

    python3 tests/bench/refresh.py [--files 1000 10000] [--rows 2000] [--rounds 5]

The files are CSV, a day each, over views of class A (a filter), P (sums by day) and F (sums by city). Prints milliseconds and the
ratio to the build of the same view; REFRESH TABLE beside it is what listing the lake takes alone.
"""
import argparse
import datetime
import pathlib
import statistics
import tempfile

from common import Connection, lakegate, timed

VIEWS = {
    "A": "SELECT city, amount * 2 AS twice FROM bench.sales WHERE amount > 50",
    "P": "SELECT CAST(ts AS date) AS day, city, COUNT(*) AS n, CAST(SUM(amount) AS numeric(20, 0)) AS total "
         "FROM bench.sales GROUP BY day, city",
    "F": "SELECT city, COUNT(*) AS n, CAST(SUM(amount) AS numeric(20, 0)) AS total FROM bench.sales GROUP BY city",
}
FIRST = datetime.date(1990, 1, 1)


def write(folder, at, rows):
    day = FIRST + datetime.timedelta(days=at)
    lines = [f"{day} {row % 24:02}:{row % 60:02}:00,{'ABCDEFGH'[row % 8]},{(row * 31 + at) % 100}" for row in range(rows)]
    (folder / f"{day}.csv").write_text("ts,city,amount\n" + "\n".join(lines) + "\n")


def measured(files, rows, rounds):
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        folder = work / "lake" / "bench" / "sales"
        folder.mkdir(parents=True)
        for at in range(files):
            write(folder, at, rows)
        with lakegate(work, work / "lake", writable=True) as (server, _), Connection(server) as connection:
            def run(sql):
                _, tail = connection.text(sql)
                assert b"VIEW\0" in tail or b"SELECT" in tail or b"TABLE\0" in tail, (sql, tail)

            run("SELECT count(*) FROM bench.sales")
            listing = statistics.median(timed(lambda: run("REFRESH TABLE bench.sales")) for _ in range(rounds)) * 1000
            print(f"{files} files of {rows} rows; a listing {listing:.1f} ms")
            for letter, query in VIEWS.items():
                by = "partition_by = 'day'" if letter == "P" else "refresh = manual"
                built = timed(lambda: run(f"CREATE MATERIALIZED VIEW bench.{letter} WITH ({by}) AS {query}")) * 1000
                idle = statistics.median(timed(lambda: run(f"REFRESH MATERIALIZED VIEW bench.{letter}")) for _ in range(rounds)) * 1000
                more = []
                for _ in range(rounds):
                    files += 1
                    write(folder, files, rows)
                    more.append(timed(lambda: run(f"REFRESH MATERIALIZED VIEW bench.{letter}")) * 1000)
                more = statistics.median(more)
                print(f"  {letter}  build {built:9.1f} ms   one more file {more:8.1f} ms = {more / built:.3f} x"
                      f"   nothing new {idle:7.1f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for files in options.files:
        measured(files, options.rows, options.rounds)


main()
