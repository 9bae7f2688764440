#!/usr/bin/env python3
"""A table of many small CSV files that is read again: Lakegate from the text and from the pack that the files share, DuckDB's and
Polars' scans of the files.

    python3 tests/bench/small_files.py [--files 2000] [--rows 200] [--rounds 5]

Prints the median of each question in milliseconds and how many times faster the pack is than each of the others. Lakegate answers
over its socket, the others in this process; what is not installed is left out. Every question changes a little from round to round,
so that no answer can be kept. The files lie in folders of days. The text is read with `lake.cache_bytes_max = 0`, the pack when all
files are in it.
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

DAYS = 50

# Title, SQL over {table}, and the same in Polars.
QUESTIONS = {
    "groups and sums": (
        "SELECT station, count(*), sum(temp), max(seen_at) FROM {table} WHERE id <> {n} GROUP BY station ORDER BY station",
        lambda rows, n: rows.filter(polars.col("id") != n).group_by("station")
        .agg(polars.len(), polars.col("temp").sum(), polars.col("seen_at").max()).sort("station")),
    "one sum": (
        "SELECT sum(temp) FROM {table} WHERE temp > {n}.5",
        lambda rows, n: rows.filter(polars.col("temp") > n + 0.5).select(polars.col("temp").sum())),
    "one file's rows": (
        "SELECT count(*), min(temp) FROM {table} WHERE id BETWEEN {n} * 1000 AND {n} * 1000 + 50",
        lambda rows, n: rows.filter(polars.col("id").is_between(n * 1000, n * 1000 + 50))
        .select(polars.len(), polars.col("temp").min())),
    "rows of a folder": (
        "SELECT count(*), sum(temp) FROM {table} WHERE day = {n}",
        lambda rows, n: rows.filter(polars.col("day") == n).select(polars.len(), polars.col("temp").sum())),
    "groups of folders": (
        "SELECT day, sum(temp) FROM {table} WHERE id <> {n} GROUP BY day ORDER BY day",
        lambda rows, n: rows.filter(polars.col("id") != n).group_by("day").agg(polars.col("temp").sum()).sort("day")),
}


def write(folder, files, rows):
    """Files of consecutive ids, in folders of days."""
    for at in range(files):
        path = folder / f"day={at % DAYS}" / f"{at}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"{i},S{i * 7919 % 500},2020-01-01 {i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02},"
                 f"{'' if i % 97 == 0 else i * 31 % 4000 / 100},note {i * 104729 % 1000003}"
                 for i in range(at * rows, (at + 1) * rows))
        path.write_text("id,station,seen_at,temp,note\n" + "\n".join(lines) + "\n")


def over_socket(connection):
    def ask(title, n):
        _, tail = connection.text(QUESTIONS[title][0].format(table="bench.readings", n=n))
        assert b"SELECT " in tail, tail
    return ask


def lakegates(work, lake, files, rounds):
    """From the text, and from the pack."""
    with lakegate(work, lake, **{"lake.cache_bytes_max": 0}) as (server, _), Connection(server) as connection:
        text = medians(QUESTIONS, over_socket(connection), rounds)
    with lakegate(work, lake) as (server, _), Connection(server) as connection:
        began = time.perf_counter()
        for n in range(2):
            over_socket(connection)("one sum", n)
        read = time.perf_counter() - began
        while True:
            _, tail = connection.text(f"SELECT count(*) = {files} FROM system.shadows")
            if re.search(rb"tC\0\0\0\rSELECT 1\0", tail):
                break
            time.sleep(0.05)
        made = time.perf_counter() - began - read
        print(f"read twice in {read:.2f} s, packed {made:.2f} s later", flush=True)
        return text, medians(QUESTIONS, over_socket(connection), rounds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        folder = work / "lake" / "bench" / "readings"
        write(folder, options.files, options.rows)
        size = sum(path.stat().st_size for path in folder.rglob("*.csv"))
        print(f"{options.files} files of {options.rows} rows, {size / 2**20:.0f} MiB of CSV", flush=True)
        # The files must be older than a tick of the clock.
        time.sleep(3)
        text, pack = lakegates(work, work / "lake", options.files, options.rounds)
        others = {"the text": text}
        database = duckdb.connect()
        scan = f"read_csv('{folder}/*/*.csv', hive_partitioning = true)"
        others["DuckDB"] = medians(
            QUESTIONS,
            lambda title, n: database.execute(QUESTIONS[title][0].format(table=scan, n=n)).fetchall(), options.rounds)
        if polars is not None:
            # Polars' scan of CSV does not read the names of folders: each of them is a scan of its own.
            folders = [(int(path.name.removeprefix("day=")), path) for path in sorted(folder.iterdir())]

            def rows():
                return polars.concat([
                    polars.scan_csv(path / "*.csv", try_parse_dates=True).with_columns(polars.lit(day).alias("day"))
                    for day, path in folders])

            others["Polars"] = medians(QUESTIONS, lambda title, n: QUESTIONS[title][1](rows(), n).collect(), options.rounds)
        print(f"{'':<20} {'pack':>11}" + "".join(f"{other:>15} {'ratio':>7}" for other in others))
        for title, own in pack.items():
            told = "".join(f"{found[title]:12.1f} ms {found[title] / own:7.1f}" for found in others.values())
            print(f"  {title:<18} {own:8.1f} ms{told}", flush=True)


if __name__ == "__main__":
    main()
