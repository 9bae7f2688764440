#!/usr/bin/env python3
"""SELECT * of ten million rows and eight columns, drained from a raw socket: Lakegate and PostgreSQL in one run.

    python3 tests/bench/extraction.py [--rows 10000000] [--rounds 3]

Prints million rows a second, the ratio to PostgreSQL, and how much each server's memory grew. Both servers read the
same rows: Lakegate from one Parquet file, PostgreSQL from a table that was loaded, analysed and read once before.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile
import time

import duckdb

from common import Connection, Peak, lakegate, postgres

COLUMNS = """id int8, at timestamptz, station text, temperature float8, humidity float4, observations int4,
    valid bool, note text"""
ROWS = """SELECT i AS id, TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL (i) SECOND AS at,
    'station-' || (i % 997) AS station, (i * 7919 % 60000) / 1000.0::DOUBLE - 20 AS temperature,
    ((i * 31 % 10000) / 100.0)::FLOAT AS humidity, (i * 104729 % 1000000)::INTEGER AS observations,
    i % 3 <> 0 AS valid, CASE WHEN i % 10 = 0 THEN NULL ELSE md5(i::VARCHAR)[:12] END AS note
    FROM range({rows}) t(i)"""


def write(work, rows):
    lake = work / "lake" / "bench"
    lake.mkdir(parents=True)
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    query = ROWS.format(rows=rows)
    database.execute(f"COPY ({query}) TO '{lake / 'extraction.parquet'}' (FORMAT parquet, COMPRESSION zstd)")
    database.execute(f"COPY ({query}) TO '{work / 'extraction.csv'}' (FORMAT csv, HEADER)")
    return work / "lake"


def load(server, work):
    command = ["psql", "-X", "-q", "-h", server.host, "-p", str(server.port), "-U", server.user, "-v", "ON_ERROR_STOP=1"]
    sql = f"""CREATE SCHEMA bench; CREATE TABLE bench.extraction ({COLUMNS});
        \\copy bench.extraction FROM '{work / "extraction.csv"}' (FORMAT csv, HEADER)
        VACUUM ANALYZE bench.extraction; CHECKPOINT;"""
    subprocess.run(command, input="\n".join(line.strip() for line in sql.splitlines()), text=True, check=True)


def measure(name, server, rows, rounds):
    results = {}
    for mode in ("text", "binary"):
        rates, growths, size = [], [], 0
        with Connection(server) as connection:
            run = getattr(connection, mode)
            run("SELECT * FROM bench.extraction LIMIT 100000")
            for _ in range(rounds):
                with Peak(server) as peak:
                    started = time.perf_counter()
                    size, tail = run("SELECT * FROM bench.extraction")
                    rates.append(rows / (time.perf_counter() - started) / 1e6)
                assert re.search(rb"SELECT %d\0" % rows, tail), tail
                growths.append(peak.growth_mib)
        results[mode] = max(rates)
        print(f"{name:<11} {mode:<7} {max(rates):6.2f} M rows/s (of {', '.join(f'{rate:.2f}' for rate in rates)})"
              f"  {size / 1e6:8.0f} MB  memory +{max(growths):.1f} MiB", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        work.chmod(0o755)
        lake = write(work, options.rows)
        with lakegate(work, lake) as (server, _):
            ours = measure("Lakegate", server, options.rows, options.rounds)
        (work / "pg").mkdir()
        with postgres(work / "pg") as server:
            load(server, work)
            theirs = measure("PostgreSQL", server, options.rows, options.rounds)
        for mode in ours:
            print(f"{mode}: {ours[mode] / theirs[mode]:.2f} x PostgreSQL")


if __name__ == "__main__":
    main()
