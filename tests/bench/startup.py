#!/usr/bin/env python3
"""From the start of the program to the first answer on the demo lake; memory when idle, and of an idle connection.

    python3 tests/bench/startup.py [--rows 100000] [--connections 200] [--rounds 5]
"""
import argparse
import pathlib
import subprocess
import tempfile
import time

from common import Connection, binary, lakegate


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        lake = work / "lake"
        subprocess.run([binary(), "demo", lake, "--rows", str(options.rows)], check=True, stdout=subprocess.DEVNULL)
        answers = []
        for _ in range(options.rounds):
            started = time.perf_counter()
            with lakegate(work, lake) as (server, _), Connection(server) as connection:
                _, tail = connection.text("SELECT count(*) FROM weather.observations")
                answers.append((time.perf_counter() - started) * 1000)
                assert b"SELECT 1\0" in tail, tail
        print(f"first answer: {min(answers):.0f} to {max(answers):.0f} ms")
        with lakegate(work, lake) as (server, _):
            time.sleep(3)
            idle = server.memory()
            print(f"idle memory: {idle / 1024:.1f} MiB")
            # What the first clients make the server keep for all (threads, the catalogs) is no connection's.
            first_ones = [Connection(server) for _ in range(options.connections)]
            for connection in first_ones:
                connection.text("SELECT 1")
                connection.socket.close()
            time.sleep(12)
            idle = server.memory()
            print(f"idle memory after {options.connections} clients: {idle / 1024:.1f} MiB")
            open_ones = [Connection(server) for _ in range(options.connections)]
            time.sleep(2)
            print(f"an idle connection: {(server.memory() - idle) / options.connections:.1f} kB")
            for connection in open_ones:
                connection.text("SELECT 1")
            time.sleep(2)
            print(f"an idle connection that has asked: {(server.memory() - idle) / options.connections:.1f} kB")
            for connection in open_ones:
                connection.socket.close()


if __name__ == "__main__":
    main()
