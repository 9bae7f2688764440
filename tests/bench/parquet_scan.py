#!/usr/bin/env python3
"""Scans of ten Parquet files, ten million rows: three aggregates, a filter, many groups; against DuckDB in process.

    python3 tests/bench/parquet_scan.py [--rows 10000000] [--rounds 7]

Lakegate answers over the PostgreSQL protocol. Rounds of both in turn; the median of each, their ratio, and its geometric mean.
"""
import argparse
import math
import pathlib
import statistics
import tempfile

import duckdb

from common import Connection, lakegate, timed

FILES = 10
ROWS = """SELECT i AS id, TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS transacted_at, (i * 7919 % 1000003) AS customer_id,
    'product-' || (i % 997) AS product, (i * 104729 % 1000000) / 100.0::DOUBLE AS amount, ['EUR', 'USD', 'CHF'][1 + i % 3] AS currency,
    i % 7 <> 0 AS settled, CASE WHEN i % 10 <> 0 THEN md5(i::VARCHAR)[:12] END AS note
    FROM range({start}, {end}) t(i)"""
QUERIES = {
    "sums of all rows": "SELECT count(*), sum(amount), min(amount), max(customer_id), avg(amount) FROM {table}",
    "groups of currencies": "SELECT currency, settled, count(*), sum(amount), avg(amount) FROM {table} GROUP BY 1, 2 ORDER BY 1, 2",
    "groups of products": "SELECT product, count(*), sum(amount) AS total FROM {table} GROUP BY 1 ORDER BY total DESC LIMIT 10",
    "a filter": "SELECT count(*), sum(amount) FROM {table} WHERE amount BETWEEN 100 AND 120 AND note LIKE 'a%' AND currency = 'EUR'",
    "a million groups": "SELECT customer_id, count(*), sum(amount) AS total FROM {table} GROUP BY 1 ORDER BY total DESC LIMIT 10",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        table = work / "lake" / "bench" / "transactions"
        table.mkdir(parents=True)
        part = options.rows // FILES
        for number in range(FILES):
            rows = ROWS.format(start=number * part, end=(number + 1) * part)
            duckdb.execute(f"COPY ({rows}) TO '{table / f'{number}.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
        ratios = []
        with lakegate(work, work / "lake") as (server, _), Connection(server) as connection:
            for name, query in QUERIES.items():
                ours = lambda query=query: connection.text(query.format(table="bench.transactions"))
                theirs = lambda query=query: duckdb.execute(query.format(table=f"'{table}/*.parquet'")).fetchall()
                ours(), theirs()
                rounds = [(timed(ours), timed(theirs)) for _ in range(options.rounds)]
                us, them = (statistics.median(taken) * 1000 for taken in zip(*rounds))
                ratios.append(them / us)
                print(f"{name:<22} Lakegate {us:7.1f} ms   DuckDB {them:7.1f} ms   {them / us:.2f} x", flush=True)
        print(f"geometric mean {math.prod(ratios) ** (1 / len(ratios)):.2f} x DuckDB")


if __name__ == "__main__":
    main()
