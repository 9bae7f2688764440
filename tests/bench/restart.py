#!/usr/bin/env python3
"""A lake of many objects, started for the first time and again: to the first answer, to all tables, memory, and a poll.

    python3 tests/bench/restart.py [--tables 1000] [--files 100]

Half of the tables are of CSV and half of Parquet. The first start looks at every file and keeps what it saw in the lake; the
second one reads that. A poll is the CPU time of looking at a lake that did not change.
"""
import argparse
import os
import pathlib
import re
import tempfile
import time

import duckdb

from common import Connection, lakegate

POLL_MS, POLLS = 2_000, 10


def write(lake, tables, files):
    """The same two contents in all files; names tell the versions apart."""
    text = "id,at,value,name\n" + "".join(f"{i},2024-01-{i % 28 + 1:02},{i / 8},name {i}\n" for i in range(50))
    packed = lake / "packed"
    lake.mkdir()
    duckdb.connect().execute(f"COPY (SELECT i AS id, i / 8 AS value, 'name ' || i AS name FROM range(100) t(i)) "
                             f"TO '{packed}' (FORMAT parquet)")
    contents = [("csv", text.encode()), ("parquet", packed.read_bytes())]
    packed.unlink()
    for table in range(tables):
        ending, content = contents[table % 2]
        folder = lake / f"s{table % 10}" / f"t{table}"
        folder.mkdir(parents=True)
        for at in range(files):
            (folder / f"{at}.{ending}").write_bytes(content)


def cpu(pid):
    """Seconds of CPU that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(work, lake, name, options):
    """One start: the first answers of a table of each format, then all tables."""
    began = time.perf_counter()
    with lakegate(work, lake, **{"lake.poll_interval_ms": POLL_MS}) as (server, listening):
        with Connection(server) as connection:
            for table in (options.tables - 2, options.tables - 1):
                _, tail = connection.text(f"SELECT count(*) FROM s{table % 10}.t{table}")
                assert b"SELECT 1" in tail, tail
            answered = time.perf_counter() - began
            pages, known = lake / "_lakegate" / "manifest", 0
            while known < options.tables:
                time.sleep(0.2)
                # The rows of text are known when it was read.
                _, tail = connection.text("SELECT 2 * count(*) FROM system.tables WHERE rows IS NOT NULL AND format = 'parquet'")
                known = int(re.search(rb"(\d+)C\0\0\0\rSELECT 1\0", tail)[1])
            opened = time.perf_counter() - began
            while not pages.exists() or len(list(pages.glob("*.zst"))) < options.tables:
                time.sleep(0.2)
        time.sleep(POLL_MS / 500)
        used = cpu(server.pid)
        time.sleep(POLL_MS * POLLS / 1000)
        used = (cpu(server.pid) - used) / POLLS
        print(f"{name:<14} listening {listening:6.2f} s   first answers {answered:6.2f} s   all tables {opened:6.2f} s   "
              f"memory {server.memory() / 1024:6.1f} MiB   a poll {used:5.2f} s of CPU", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        write(work / "lake", options.tables, options.files)
        time.sleep(3)
        start(work, work / "lake", "first start", options)
        start(work, work / "lake", "second start", options)


if __name__ == "__main__":
    main()
