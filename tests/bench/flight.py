#!/usr/bin/env python3
"""SELECT * of ten million rows over Flight SQL into pyarrow, against DataFusion draining the same query in process.

    python3 tests/bench/flight.py [--rows 10000000] [--rounds 5]

Then small queries, each planned and run, over Flight and over the PostgreSQL protocol. Rounds of all in turn; the best of
each, and the median of small queries, are printed.
"""
import argparse
import pathlib
import statistics
import tempfile
import time

import datafusion
import duckdb
import pyarrow.flight as flight

from common import Connection, Peak, lakegate

ROWS = """SELECT i AS id, TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS transacted_at, (i * 7919 % 1000003) AS customer_id,
    'product-' || (i % 997) AS product, (i * 104729 % 1000000) / 100.0::DOUBLE AS amount, ['EUR', 'USD', 'CHF'][1 + i % 3] AS currency,
    i % 7 <> 0 AS settled, CASE WHEN i % 10 <> 0 THEN md5(i::VARCHAR)[:12] END AS note FROM range({rows}) t(i)"""
SMALL = "SELECT currency, count(*) FROM (VALUES ('EUR'), ('USD')) AS t(currency) GROUP BY 1"
URL = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"


def field(number, value):
    """A field of bytes, as protobuf writes it; short ones only."""
    assert len(value) < 128
    return bytes([number << 3 | 2, len(value)]) + value


class Flight:
    def __init__(self, server):
        self.client = flight.connect(f"grpc://{server.host}:{server.flight_port}")
        self.options = flight.FlightCallOptions(headers=[self.client.authenticate_basic_token("me", "none")])

    def stream(self, sql):
        command = field(1, URL) + field(2, field(1, sql.encode()))
        info = self.client.get_flight_info(flight.FlightDescriptor.for_command(command), self.options)
        return self.client.do_get(info.endpoints[0].ticket, self.options)


def over_flight(client, sql):
    started, first, rows, size = time.perf_counter(), None, 0, 0
    for chunk in client.stream(sql):
        first = first or time.perf_counter() - started
        rows += chunk.data.num_rows
        size += chunk.data.nbytes
    return time.perf_counter() - started, first, rows, size


def by_datafusion(path):
    context = datafusion.SessionContext()
    context.register_parquet("transactions", str(path))
    started, rows, size = time.perf_counter(), 0, 0
    for batch in context.sql("SELECT * FROM transactions").execute_stream():
        batch = batch.to_pyarrow()
        rows += batch.num_rows
        size += batch.nbytes
    return time.perf_counter() - started, rows, size


def median(run, times=300):
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        path = work / "lake" / "bench" / "transactions.parquet"
        path.parent.mkdir(parents=True)
        duckdb.execute(f"COPY ({ROWS.format(rows=options.rows)}) TO '{path}' (FORMAT parquet)")
        with lakegate(work, work / "lake") as (server, _):
            client = Flight(server)
            ours, firsts, theirs = [], [], []
            with Peak(server) as peak:
                for _ in range(options.rounds):
                    taken, first, rows, size = over_flight(client, "SELECT * FROM bench.transactions")
                    assert rows == options.rows
                    ours.append(taken)
                    firsts.append(first)
                    taken, rows, _ = by_datafusion(path)
                    assert rows == options.rows
                    theirs.append(taken)
            print(f"Lakegate   {size / min(ours) / 1e6:6.0f} MB/s (of {', '.join(f'{one:.2f}' for one in ours)} s), "
                  f"first batch {min(firsts) * 1000:.0f} ms, memory +{peak.growth_mib:.0f} MiB")
            print(f"DataFusion {size / min(theirs) / 1e6:6.0f} MB/s (of {', '.join(f'{one:.2f}' for one in theirs)} s)")
            print(f"{min(theirs) / min(ours):.2f} x DataFusion in process")
            with Connection(server) as connection:
                small = median(lambda: client.stream(SMALL).read_all())
                wire = median(lambda: connection.text(SMALL))
            print(f"small query: Flight p50 {small:.2f} ms, PostgreSQL {wire:.2f} ms, {small / wire:.2f} x")


if __name__ == "__main__":
    main()
