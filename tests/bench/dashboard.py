#!/usr/bin/env python3
"""Twelve Grafana queries over the demo's Parquet, against DuckDB in this process on the same files, in one run.

    python3 tests/bench/dashboard.py [--rows 20000000] [--rounds 10] [--lake DIR]

`--rows` weather observations and half as many transactions. Prints p50 and p95 of each query in milliseconds, first
and repeated, and the ratio to DuckDB. With --lake an existing demo lake is read and left as it is.
"""
import argparse
import pathlib
import subprocess
import tempfile
import time

import duckdb

from common import Connection, binary, lakegate, percentile

WEATHER = "observation_at BETWEEN '2024-03-01T00:00:00Z' AND '2024-04-01T00:00:00Z'"
WEATHER_YEAR = "observation_at BETWEEN '2024-01-01T00:00:00Z' AND '2025-01-01T00:00:00Z'"
SALES = "transacted_at BETWEEN '2023-06-01T00:00:00Z' AND '2023-07-01T00:00:00Z'"
SALES_YEARS = "transacted_at BETWEEN '2019-01-01T00:00:00Z' AND '2024-01-01T00:00:00Z'"


def group(column, seconds):
    return f"floor(extract(epoch from {column})/{seconds})*{seconds}"


O, A = "weather.observations", "transactions.online_archive"
QUERIES = {
    "count of a month": f"SELECT count(*) FROM {O} WHERE {WEATHER}",
    "temperature by hour and department": f"SELECT {group('observation_at', 3600)} AS time, department AS metric, "
        f"avg(temperature) AS value FROM {O} WHERE {WEATHER} GROUP BY 1, 2 ORDER BY 1, 2",
    "temperature of one department": f"SELECT {group('observation_at', 3600)} AS time, avg(temperature) AS value, "
        f"min(temperature), max(temperature) FROM {O} WHERE {WEATHER} AND department = '31' GROUP BY 1 ORDER BY 1",
    "rain by day of a year": f"SELECT {group('observation_at', 86400)} AS time, sum(rain) AS rain FROM {O} "
        f"WHERE {WEATHER_YEAR} GROUP BY 1 ORDER BY 1",
    "raw points of a day": f"SELECT observation_at AS time, station AS metric, temperature FROM {O} "
        "WHERE observation_at BETWEEN '2024-03-10T00:00:00Z' AND '2024-03-10T06:00:00Z' AND department = '75' ORDER BY 1",
    "hot hours by department": f"SELECT department, count(*) AS hours FROM {O} WHERE temperature > 28 GROUP BY 1 ORDER BY 2 DESC",
    "percentiles": f"SELECT department, percentile_cont(0.95) WITHIN GROUP (ORDER BY wind) AS wind FROM {O} "
        f"WHERE {WEATHER_YEAR} GROUP BY 1 ORDER BY 1",
    "sales by day": f"SELECT {group('transacted_at', 86400)} AS time, currency AS metric, sum(amount) AS value FROM {A} "
        f"WHERE {SALES} GROUP BY 1, 2 ORDER BY 1, 2",
    "sales by month, five years": f"SELECT date_trunc('month', transacted_at) AS time, sum(amount) AS value, count(*) AS n "
        f"FROM {A} WHERE {SALES_YEARS} GROUP BY 1 ORDER BY 1",
    "top products": f"SELECT product_id, sum(amount) AS value FROM {A} WHERE {SALES} GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    "customers by day": f"SELECT {group('transacted_at', 86400)} AS time, count(DISTINCT customer_id) AS customers FROM {A} "
        f"WHERE {SALES} GROUP BY 1 ORDER BY 1",
    "share of refunds by method": f"SELECT payment_method, avg(CASE WHEN amount < 0 THEN 1.0 ELSE 0.0 END) AS share FROM {A} "
        "GROUP BY 1 ORDER BY 1",
}


def timed(run, rounds):
    """Milliseconds of the first run, and of those that repeat it."""
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return times[0], times[1:]


def report(name, first, repeated):
    print(f"{name:<36} first {first:8.1f}  p50 {percentile(repeated, 0.5):8.1f}  p95 {percentile(repeated, 0.95):8.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--lake", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        lake = options.lake or work / "lake"
        if not options.lake:
            subprocess.run([binary(), "demo", lake, "--rows", str(options.rows)], check=True)
        ours, theirs = {}, {}
        with lakegate(work, lake) as (server, _), Connection(server) as connection:
            print("Lakegate, over its socket, in text")
            for title, sql in QUERIES.items():
                def run(sql=sql):
                    _, tail = connection.text(sql)
                    assert b"SELECT " in tail, tail
                first, ours[title] = timed(run, options.rounds)
                report(title, first, ours[title])
        database = duckdb.connect()
        database.execute("SET TimeZone = 'UTC'")
        for table in (O, A):
            schema, stem = table.split(".")
            database.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            files = lake / schema / stem / "**" / "*.parquet"
            types = "hive_types = {'department': VARCHAR}" if stem == "observations" else "hive_types_autocast = true"
            database.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = true, {types})")
        print("DuckDB, in this process")
        for title, sql in QUERIES.items():
            first, theirs[title] = timed(lambda sql=sql: database.execute(sql).fetchall(), options.rounds)
            report(title, first, theirs[title])
        for share in (0.5, 0.95):
            mine = [percentile(times, share) for times in ours.values()]
            other = [percentile(times, share) for times in theirs.values()]
            ratios = [a / b for a, b in zip(mine, other)]
            print(f"p{share * 100:.0f}: Lakegate {sum(mine):.0f} ms, DuckDB {sum(other):.0f} ms for all twelve; "
                  f"ratio per query {min(ratios):.2f} to {max(ratios):.2f}, median {percentile(ratios, 0.5):.2f}")


if __name__ == "__main__":
    main()
