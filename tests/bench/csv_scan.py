#!/usr/bin/env python3
"""One large CSV file: first answer from the start of the program, and scans, against Polars and DuckDB in one run.

    python3 tests/bench/csv_scan.py [--rows 10000000] [--rounds 5]

Ten million transactions are about 900 MB; the notes hold quoted commas, quotes and line ends. Every engine guesses the types.
Prints megabytes a second of each scan and the ratio of its time to that of Polars: the best round of each, turn by turn.
"""
import argparse
import pathlib
import tempfile
import time

import duckdb
import polars

from common import Connection, Peak, lakegate, timed

ROWS = """SELECT i AS id, TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS transacted_at,
    (i * 7919 % 1000003) AS customer_id, 'product-' || (i % 997) AS product, (i * 104729 % 1000000) / 100.0::DOUBLE AS amount,
    ['EUR', 'USD', 'CHF'][1 + i % 3] AS currency, i % 7 <> 0 AS settled,
    CASE WHEN i % 100 = 0 THEN 'said "yes",' || chr(10) || 'then left' WHEN i % 10 = 0 THEN NULL ELSE md5(i::VARCHAR)[:12] END AS note
    FROM range({rows}) t(i)"""
QUERIES = {
    "3 of 8 columns": ("SELECT currency, count(*), sum(amount), max(customer_id) FROM {table} GROUP BY 1", ["currency"]),
    "all columns": ("SELECT settled, count(*), max(id), max(transacted_at), max(customer_id), max(product), sum(amount), "
                    "max(currency), max(note) FROM {table} GROUP BY 1", ["settled"]),
}

# Text is measured, not its shadow.
SETTINGS = {"lake.cache_bytes_max": 0}


def by_polars(path, name):
    frame, c = polars.scan_csv(path, try_parse_dates=True), polars.col
    if name == "3 of 8 columns":
        return frame.group_by("currency").agg(polars.len(), c("amount").sum(), c("customer_id").max()).collect()
    return frame.group_by("settled").agg(
        polars.len(), c("amount").sum(),
        c("id", "transacted_at", "customer_id", "product", "currency", "note").max()).collect()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        path = work / "lake" / "bench" / "transactions.csv"
        path.parent.mkdir(parents=True)
        duckdb.execute(f"COPY ({ROWS.format(rows=options.rows)}) TO '{path}' (FORMAT csv, HEADER)")
        size = path.stat().st_size / 1e6
        print(f"{size:.0f} MB, {options.rows} rows")
        sql = {name: query for name, (query, _) in QUERIES.items()}
        first = []
        for _ in range(3):
            started = time.perf_counter()
            with lakegate(work, work / "lake", **SETTINGS) as (server, _), Connection(server) as connection:
                connection.text(sql["3 of 8 columns"].format(table="bench.transactions"))
                first.append(time.perf_counter() - started)
        print(f"first answer from the start of the program: {min(first):.2f} s", flush=True)
        with lakegate(work, work / "lake", **SETTINGS) as (server, _), Connection(server) as connection:
            for name, query in sql.items():
                runs = {
                    "Lakegate": lambda query=query: connection.text(query.format(table="bench.transactions")),
                    "Polars": lambda name=name: by_polars(path, name),
                    "DuckDB": lambda query=query: duckdb.execute(query.format(table=f"'{path}'")).fetchall(),
                }
                times = {engine: [] for engine in runs}
                with Peak(server) as peak:
                    for _ in range(options.rounds):
                        for engine, run in runs.items():
                            times[engine].append(timed(run))
                for engine, found in times.items():
                    ratio = min(times["Polars"]) / min(found)
                    print(f"{name:<16} {engine:<9} {size / min(found):6.0f} MB/s (of "
                          f"{', '.join(f'{one:.2f}' for one in found)} s)  {ratio:.2f} x Polars", flush=True)
                print(f"{name:<16} memory +{peak.growth_mib:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
