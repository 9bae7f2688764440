#!/usr/bin/env python3
"""A CSV file that is read again: Lakegate from the text and from its shadow, DuckDB's and Polars' scans of the text.

    python3 tests/bench/shadow.py [--rows 5000000] [--rounds 5]

Prints the median of each question in milliseconds and how many times faster the shadow is than each of the others. Lakegate
answers over its socket, the others in this process; what is not installed is left out. Every question changes a little from round
to round, so that no answer can be kept. The text is read with `lake.cache_bytes_max = 0`, the shadow when it is there.
"""
import argparse
import pathlib
import re
import tempfile
import time

import duckdb

from common import Connection, lakegate, medians

try:
    import polars
except ImportError:
    polars = None

# Title, SQL over {table}, and the same in Polars.
QUESTIONS = {
    "groups and sums": (
        "SELECT station, count(*), sum(temp), max(seen_at) FROM {table} WHERE id <> {n} GROUP BY station ORDER BY station",
        lambda rows, n: rows.filter(polars.col("id") != n).group_by("station")
        .agg(polars.len(), polars.col("temp").sum(), polars.col("seen_at").max()).sort("station")),
    "one sum": (
        "SELECT sum(temp) FROM {table} WHERE temp > {n}.5",
        lambda rows, n: rows.filter(polars.col("temp") > n + 0.5).select(polars.col("temp").sum())),
    "a range of ids": (
        "SELECT count(*), min(temp) FROM {table} WHERE id BETWEEN {n} * 1000 AND {n} * 1000 + 5000",
        lambda rows, n: rows.filter(polars.col("id").is_between(n * 1000, n * 1000 + 5000))
        .select(polars.len(), polars.col("temp").min())),
    "texts": (
        "SELECT count(*) FROM {table} WHERE note LIKE '%7{n}%'",
        lambda rows, n: rows.filter(polars.col("note").str.contains(f"7{n}", literal=True)).select(polars.len())),
}


def write(path, rows):
    path.parent.mkdir(parents=True)
    duckdb.connect().execute(
        f"COPY (SELECT i AS id, 'S' || (i * 7919 % 500) AS station, TIMESTAMP '2020-01-01' + to_seconds(i * 60) AS seen_at, "
        f"CASE WHEN i % 97 = 0 THEN NULL ELSE (i * 31 % 4000) / 100.0::DOUBLE END AS temp, 'note ' || (i * 104729 % 1000003) "
        f"AS note, i % 3 = 0 AS ok FROM range({rows}) t(i)) TO '{path}' (FORMAT csv, HEADER)")


def over_socket(connection):
    def ask(title, n):
        _, tail = connection.text(QUESTIONS[title][0].format(table="bench.readings", n=n))
        assert b"SELECT " in tail, tail
    return ask


def lakegates(work, lake, rounds):
    """From the text, and from the shadow."""
    with lakegate(work, lake, **{"lake.cache_bytes_max": 0}) as (server, _), Connection(server) as connection:
        text = medians(QUESTIONS, over_socket(connection), rounds)
    with lakegate(work, lake) as (server, _), Connection(server) as connection:
        began = time.perf_counter()
        over_socket(connection)("one sum", 0)
        read = time.perf_counter() - began
        while True:
            _, tail = connection.text("SELECT count(*) FROM system.shadows")
            if re.search(rb"1C\0\0\0\rSELECT 1\0", tail):
                break
            time.sleep(0.05)
        made = time.perf_counter() - began - read
        print(f"first read {read:.2f} s, its shadow {made:.2f} s later", flush=True)
        return text, medians(QUESTIONS, over_socket(connection), rounds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        path = work / "lake" / "bench" / "readings.csv"
        write(path, options.rows)
        print(f"{options.rows} rows, {path.stat().st_size / 2**20:.0f} MiB of CSV", flush=True)
        # The file must be older than a tick of the clock.
        time.sleep(3)
        text, shadow = lakegates(work, work / "lake", options.rounds)
        others = {"the text": text}
        database = duckdb.connect()
        scan = f"read_csv('{path}')"
        others["DuckDB"] = medians(
            QUESTIONS,
            lambda title, n: database.execute(QUESTIONS[title][0].format(table=scan, n=n)).fetchall(), options.rounds)
        if polars is not None:
            others["Polars"] = medians(
                QUESTIONS,
                lambda title, n: QUESTIONS[title][1](polars.scan_csv(path, try_parse_dates=True), n).collect(), options.rounds)
        print(f"{'':<18} {'shadow':>11}" + "".join(f"{other:>15} {'ratio':>7}" for other in others))
        for title, own in shadow.items():
            told = "".join(f"{found[title]:12.1f} ms {found[title] / own:7.1f}" for found in others.values())
            print(f"  {title:<16} {own:8.1f} ms{told}", flush=True)


if __name__ == "__main__":
    main()
