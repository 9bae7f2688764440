#!/usr/bin/env python3
"""How soon work ends: after a cancel request, after a client's going away, past its deadline.

    python3 tests/bench/cancel.py [--rows 20000000] [--rounds 5]

Per statement and way to end it: until the client has its error (and may ask again), and until the server's threads
stand still. The second is seen only in steps of the kernel's clock, 10 ms, and to within STILL.
"""
import argparse
import os
import pathlib
import socket
import struct
import tempfile
import time

import duckdb

from common import READY, Connection, frame, lakegate

TICK = 1 / os.sysconf("SC_CLK_TCK")
# No tick of CPU time for so long means that nothing runs any more.
STILL = 0.1

STATEMENTS = {
    "computing": "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11",
    "rows flowing": "SELECT a.*, b.x FROM bench.rows a, generate_series(1, 1000) b(x)",
    "aggregation": "SELECT count(DISTINCT md5(note || g)) FROM bench.rows, generate_series(1, 20) g",
    "sorting": "SELECT * FROM bench.rows, generate_series(1, 50) g ORDER BY md5(note || g)",
    "joining": "SELECT count(*) FROM bench.rows a JOIN bench.rows b ON a.k = b.k",
    "text file": "SELECT sum(length(note)) FROM bench.lines, generate_series(1, 1000) g",
}


class Keyed(Connection):
    """A connection that keeps its key and does not read answers."""

    def __init__(self, server):
        self.server = server
        super().__init__(server)

    def drain(self):
        received = b""
        while not received.endswith(READY):
            received += self.socket.recv(1 << 16)
        at = received.index(b"K\0\0\0")
        length = struct.unpack("!i", received[at + 1:at + 5])[0]
        self.key = received[at + 5:at + 1 + length]

    def start(self, sql, settings=""):
        if settings:
            self.socket.sendall(frame(b"Q", settings.encode() + b"\0"))
            self.until_ready()
        self.socket.sendall(frame(b"Q", sql.encode() + b"\0"))

    def until_ready(self):
        tail = b""
        while not tail.endswith(READY):
            read = self.socket.recv(1 << 20)
            if not read:
                raise OSError("the server hung up")
            tail = (tail + read)[-1024:]
        return tail

    def cancel(self):
        with socket.create_connection((self.server.host, self.server.port)) as other:
            other.sendall(struct.pack("!ii", 8 + len(self.key), 80877102) + self.key)
            other.recv(1)


def busy(server):
    """Ticks of CPU time that the process has used."""
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def until_still(server, started):
    last, since = busy(server), time.perf_counter()
    while time.perf_counter() - since < STILL:
        time.sleep(TICK / 2)
        if (now := busy(server)) != last:
            last, since = now, time.perf_counter()
    return max(0.0, since - started)


def read_a_while(connection, seconds):
    """Takes rows, if any come, as a client would."""
    connection.socket.settimeout(0.05)
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        try:
            connection.socket.recv(1 << 20)
        except TimeoutError:
            pass
    connection.socket.settimeout(None)


def by_cancel(server, sql):
    with Keyed(server) as connection:
        connection.start(sql)
        read_a_while(connection, 1)
        started = time.perf_counter()
        connection.cancel()
        tail = connection.until_ready()
        told = time.perf_counter() - started
        assert b"C57014\0" in tail, tail
        return told, until_still(server, started)


def by_leaving(server, sql):
    connection = Keyed(server)
    connection.start(sql)
    read_a_while(connection, 1)
    started = time.perf_counter()
    connection.socket.close()
    return None, until_still(server, started)


def by_deadline(server, sql):
    with Keyed(server) as connection:
        connection.start(sql, "SET statement_timeout = '1s'")
        started = time.perf_counter() + 1
        tail = connection.until_ready()
        told = time.perf_counter() - started
        assert b"C57014\0" in tail, tail
        return told, until_still(server, started)


def write(lake, rows):
    lake.mkdir(parents=True)
    query = f"SELECT i AS id, i % 10 AS k, md5(i::VARCHAR) AS note FROM range({rows}) t(i)"
    duckdb.execute(f"COPY ({query}) TO '{lake / 'rows.parquet'}' (FORMAT parquet)")
    duckdb.execute(f"COPY ({query}) TO '{lake / 'lines.csv'}' (FORMAT csv, HEADER)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        write(work / "lake" / "bench", options.rows)
        with lakegate(work, work / "lake") as (server, _):
            for end in (by_cancel, by_leaving, by_deadline):
                for kind, sql in STATEMENTS.items():
                    rounds = [end(server, sql) for _ in range(options.rounds)]
                    told = [told * 1000 for told, _ in rounds if told is not None]
                    still = max(still * 1000 for _, still in rounds)
                    told = f"told after at most {max(told):4.0f} ms, " if told else " " * 28
                    print(f"{end.__name__:<12} {kind:<13} {told} still after at most {still:4.0f} ms", flush=True)


if __name__ == "__main__":
    main()
