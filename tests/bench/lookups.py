#!/usr/bin/env python3
"""Questions that a few of many files answer: tables of 100 and of 10,000 Parquet files, Lakegate and DuckDB in one run.

    python3 tests/bench/lookups.py [--files 10000] [--rounds 30]

Prints the median of each question in milliseconds over both tables and their ratio, which is what many files cost.
Lakegate answers over its socket, DuckDB in this process; each question is asked with another value in every round.
"""
import argparse
import pathlib
import statistics
import tempfile
import time

import duckdb

from common import Connection, lakegate

FEW, ROWS, DAYS = 100, 100, 50
QUESTIONS = {
    "one id": "SELECT v FROM {table} WHERE id = {id}",
    "a range of ids": "SELECT count(*) FROM {table} WHERE id BETWEEN {id} AND {id} + 20",
    "rows of a folder": "SELECT count(*) FROM {table} WHERE day = {day}",
    "all rows, extremes": "SELECT count(*), min(id), max(id) FROM {table}",
    "folders": "SELECT DISTINCT day FROM {table}",
    "rows of each folder": "SELECT max(n) FROM (SELECT day, count(*) AS n FROM {table} GROUP BY day) AS folders",
}


def write(lake, name, files):
    """Files of consecutive ids, in folders of days."""
    database = duckdb.connect()
    for at in range(files):
        folder = lake / "bench" / name / f"day={at % DAYS}"
        folder.mkdir(parents=True, exist_ok=True)
        database.execute(f"COPY (SELECT i AS id, (i * 7919 % 1000) / 10.0::DOUBLE AS v FROM "
                         f"range({at * ROWS}, {(at + 1) * ROWS}) t(i)) TO '{folder / f'{at}.parquet'}' (FORMAT parquet)")


def medians(run, tables, rounds):
    """The median of each question over each table, asked of all in turn, the first round left out."""
    found = {table: {} for table in tables}
    for title, sql in QUESTIONS.items():
        times = {table: [] for table in tables}
        for at in range(rounds + 1):
            for table, files in tables.items():
                values = {"id": (at * 104_729) % (files * ROWS), "day": at % DAYS}
                started = time.perf_counter()
                run(sql, table, values)
                times[table].append((time.perf_counter() - started) * 1000)
        for table in tables:
            found[table][title] = statistics.median(times[table][1:])
    return found


def told(name, few, many):
    print(f"{name:<24} {'100 files':>12} {'many files':>12} {'ratio':>8}")
    for title in QUESTIONS:
        print(f"  {title:<22} {few[title]:9.2f} ms {many[title]:9.2f} ms {many[title] / few[title]:8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    tables = {"few": FEW, "many": options.files}
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for table, files in tables.items():
            write(work / "lake", table, files)
        with lakegate(work, work / "lake") as (server, _), Connection(server) as connection:
            def ask(sql, table, values):
                _, tail = connection.text(sql.format(table=f"bench.{table}", **values))
                assert b"SELECT " in tail, tail

            for table in tables:
                ask("SELECT count(*) FROM {table}", table, {})
            ours = medians(ask, tables, options.rounds)
        told("Lakegate", ours["few"], ours["many"])
        database = duckdb.connect()
        for table in tables:
            place = work / "lake" / "bench" / table / "**" / "*.parquet"
            database.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{place}', hive_partitioning = true)")

        def ask_theirs(sql, table, values):
            assert len(database.execute(sql.format(table=table, **values)).fetchall()) == 1
        theirs = medians(ask_theirs, tables, max(options.rounds // 10, 3))
        told("DuckDB", theirs["few"], theirs["many"])
        shares = [ours["many"][title] / theirs["many"][title] for title in QUESTIONS]
        print(f"over many files Lakegate takes {min(shares):.4f} to {max(shares):.4f} of DuckDB's time")


if __name__ == "__main__":
    main()
