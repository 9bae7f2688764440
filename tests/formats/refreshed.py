"""Materialized views, read by other engines while they are refreshed: each read is of one refresh, and none goes back.

    python tests/formats/refreshed.py FOLDER    the folder of a writable source, of the server of PGHOST and PGPORT
"""
import os
import pathlib
import sys
import threading

import deltalake
import duckdb
import polars as pl
import psycopg

ROUNDS = 40
ROWS = 50
VIEWS = {
    "refreshed_lines": ("", "SELECT day, k, round FROM refreshed.source", ROWS),
    "refreshed_days": (
        "WITH (partition_by = 'day')",
        "SELECT day, max(round) AS round, count(*) AS n FROM refreshed.source GROUP BY day",
        1,
    ),
    "refreshed_whole": ("", "SELECT min(round) AS round, count(*) AS n FROM refreshed.source", 1),
}


def put(folder, round):
    """Replaces the only file at once."""
    place = folder / "refreshed/source/day=2026-01-01/rows.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    hidden = place.with_name(".rows.csv")
    hidden.write_text("k,round\n" + "".join(f"{k},{round}\n" for k in range(ROWS)))
    os.replace(hidden, place)


def by_polars(path):
    return pl.read_delta(path)["round"].to_list()


def by_duckdb(path):
    rows = deltalake.DeltaTable(path).to_pyarrow_dataset()
    return [row[0] for row in duckdb.sql("SELECT round FROM rows").fetchall()]


def by_delta_rs(path):
    return deltalake.DeltaTable(path).to_pyarrow_table(columns=["round"])["round"].to_pylist()


def refresh(folder, over, failed):
    try:
        with psycopg.connect(autocommit=True) as connection:
            for round in range(1, ROUNDS + 1):
                put(folder, round)
                for view in VIEWS:
                    how = " FULL" if round % 5 == 0 else ""
                    connection.execute(f"REFRESH MATERIALIZED VIEW {view}{how}")
    except Exception as error:
        failed.append(error)
    finally:
        over.set()


def main():
    folder = pathlib.Path(sys.argv[1])
    put(folder, 0)
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("REFRESH TABLE refreshed.source")
        for view, (options, query, _) in VIEWS.items():
            connection.execute(f"CREATE MATERIALIZED VIEW {view} {options} AS {query}")
    over, failed, reads = threading.Event(), [], 0
    thread = threading.Thread(target=refresh, args=(folder, over, failed))
    thread.start()
    last = {}
    try:
        while not over.is_set():
            for view, (_, _, rows) in VIEWS.items():
                for read in (by_polars, by_duckdb, by_delta_rs):
                    found = read(str(folder / "public" / view))
                    if len(found) != rows or len(set(found)) != 1 or found[0] < last.get(view, 0):
                        sys.exit(f"{view}, {read.__name__}: {found} after round {last.get(view)}")
                    last[view] = found[0]
                    reads += 1
    finally:
        thread.join()
    if failed:
        raise failed[0]
    for view in VIEWS:
        found = set(by_polars(str(folder / "public" / view)))
        if found != {ROUNDS}:
            sys.exit(f"{view}: {found} in the end")
    print(f"{reads} reads of {len(VIEWS)} views during {ROUNDS} rounds of refreshes: each is of one round")


if __name__ == "__main__":
    main()
