"""Runs the binary as a container would: a random user, a read-only tree, 1 GiB, and a SIGTERM at the end.

Takes LAKEGATE and DEMO, a demo lake, from the environment. Needs root.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"))
from checks import Checks, ENDLESS
from repository import ROOT, dotenv, grace_s, text
from tree import ANY_USER, MEMORY_BYTES, Tree

ROLES = f'[[role]]\nname = "grafana"\nlogin = true\nverifier = "{dotenv()["LAKEGATE_VERIFIER"]}"\n'
# The configuration of compose, over a folder in place of the bucket.
ENV = {"LAKEGATE__LAKE__SOURCES": '[{url="/lake", writable=true}]', "LAKEGATE__AUTH__TOKEN_KEY": dotenv()["LAKEGATE_TOKEN_KEY"],
       "LAKEGATE__LAKE__POLL_INTERVAL_MS": "500", "LAKEGATE__ENGINE__STATEMENT_TIMEOUT_MS": "300000"}
# Each wants about as much as a query may have in 1 GiB, or more.
HEAVY = [
    "SELECT count(*) FROM (SELECT DISTINCT repeat('x', 50) || a FROM generate_series(1, 500000) a) d",
    "SELECT count(*) FROM (SELECT repeat('y', 100) || a AS t FROM generate_series(1, 3000000) a ORDER BY 1 OFFSET 1) s",
    "SELECT count(*) FROM generate_series(1, 2000000) a JOIN generate_series(1, 2000000) b ON a = b",
    "SELECT length(string_agg(repeat('z', 100), ',')) FROM generate_series(1, 300000) a",
]


def connect(server):
    return psycopg.connect(host="127.0.0.1", port=server.pg, dbname="lakegate", user="grafana", password=dotenv()["LAKEGATE_PASSWORD"],
                           autocommit=True)


def value(server, sql):
    with connect(server) as connection:
        return connection.execute(sql).fetchone()[0]


def owner_of_the_lake():
    """A writable copy of the demo lake, as a volume that group 0 may write."""
    folder = tempfile.mkdtemp(prefix="lakegate-lake-")
    shutil.copytree(os.environ["DEMO"], folder, dirs_exist_ok=True)
    for path in [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]:
        os.chown(path, 0, 0)
        path.chmod(0o770 if path.is_dir() else 0o660)
    return pathlib.Path(folder)


class Container:
    def __init__(self):
        self.lake = owner_of_the_lake()
        self.tree = Tree(self.lake, text("deploy/compose/lakegate.toml"), ROLES, ROOT / "sql")
        self.server = self.tree.serve(ENV)

    def any_user_serves(self):
        status = self.server.status()
        assert status["Uid"].split() == [str(ANY_USER)] * 4 and status["Gid"].split() == ["0"] * 4, status
        assert int(status["CapEff"], 16) == 0, status
        assert value(self.server, "SELECT count(*) > 0 FROM weather.observations") is True
        # The demo has one that is empty on purpose.
        assert value(self.server, "SELECT count(*) FROM system.skipped_files") == 1

    def passwords_are_asked_for(self):
        try:
            psycopg.connect(host="127.0.0.1", port=self.server.pg, dbname="lakegate", user="grafana", password="a wrong password")
        except psycopg.OperationalError as error:
            assert "password authentication failed" in str(error), error
        else:
            raise AssertionError("any password is taken")

    def views_are_filled(self):
        """The materialized views of sql/ are in the lake, so the lake can be written and so can the cache."""
        for _ in range(240):
            if value(self.server, "SELECT bool_and(is_populated) FROM system.matview_status"):
                break
            time.sleep(0.5)
        else:
            with connect(self.server) as connection:
                raise AssertionError(connection.execute("SELECT * FROM system.matview_status").fetchall())
        assert value(self.server, "SELECT count(*) > 0 FROM transactions.daily") is True

    def only_the_cache_and_tmp_are_written(self):
        # What is mounted in the namespace of the server is not seen from here: the tree itself is as it was made.
        assert sorted(self.tree.root.rglob("*")) == self.tree.made
        assert any(self.tree.cache.iterdir()), "the cache is not used"

    def probes_are_answered(self):
        assert self.server.get("/healthz") == (200, "ok\n")
        assert self.server.get("/readyz") == (200, "ready\n")
        paths = re.findall(r"path: (/\w+), port: http", text("deploy/kubernetes/base/deployment.yaml"))
        assert len(paths) == 3 and all(self.server.get(path)[0] == 200 for path in paths)
        port = {"LAKEGATE__HTTP__LISTEN": f"0.0.0.0:{self.server.http}"}
        code, output = self.tree.run("ready", env={**ENV, **port})
        assert (code, output) == (0, ""), output

    def every_metric_that_is_asked_for_exists(self):
        given = set(re.findall(r"^# TYPE (\w+) ", self.server.get("/metrics")[1], re.MULTILINE))
        files = [ROOT / "deploy/prometheus/rules.yml", *(ROOT / "grafana-provisioning").rglob("*.json"),
                 *(ROOT / "grafana-provisioning").rglob("*.yaml"), ROOT / "docs/deployment.md"]
        asked = {name: file for file in files for name in re.findall(r"\blakegate_[a-z_]+[a-z]\b", file.read_text())}
        missing = {name: str(file) for name, file in asked.items() if name not in given}
        assert len(asked) >= 5 and not missing, missing

    def a_lake_that_is_gone_takes_readiness_and_not_life(self):
        self.lake.chmod(0)
        try:
            assert self.server.get("/readyz") == (503, "the lake does not answer\n")
            assert self.server.get("/healthz")[0] == 200
            port = {"LAKEGATE__HTTP__LISTEN": f"127.0.0.1:{self.server.http}"}
            code, output = self.tree.run("ready", env={**ENV, **port})
            assert code == 1 and "is not ready: the lake does not answer" in output, output
            assert value(self.server, "SELECT 1") == 1
        finally:
            self.lake.chmod(0o770)
        assert self.server.get("/readyz")[0] == 200

    def commands_of_the_pages_work(self):
        page = text("docs/from-your-pipeline.md")
        commands = re.findall(r"`(psql -[cf] [^`]+)`", page)
        assert len(commands) >= 12, commands
        env = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.server.pg), "PGUSER": "grafana", "PGDATABASE": "lakegate",
               "PGPASSWORD": dotenv()["LAKEGATE_PASSWORD"], "PSQLRC": "/dev/null"}
        for command in commands:
            done = subprocess.run(command.replace("psql ", "psql -v ON_ERROR_STOP=1 "), shell=True, cwd=ROOT, env=env,
                                  capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0 and done.stdout, f"{command}: {done.stderr}"
        for file in re.findall(r"`cat ([^`]+)`", page):
            assert (ROOT / file).is_file(), file

    def memory_stays_below_a_gigabyte(self):
        for sql in HEAVY:
            with connect(self.server) as connection:
                try:
                    connection.execute(sql).fetchone()
                except psycopg.Error as error:
                    assert error.sqlstate in ("53200", "53400", "54000"), f"{sql}: {error.sqlstate} {error}"
        status = self.server.status()
        peak = int(status["VmHWM"].split()[0]) * 1024
        print(f"peak of the memory: {peak >> 20} MiB; {'in a control group' if self.tree.group.procs else 'no control group'}")
        assert peak < MEMORY_BYTES, status["VmHWM"]
        assert self.server.process.poll() is None and value(self.server, "SELECT 1") == 1

    def logs_are_json_and_have_no_secret(self):
        assert self.server.records() and all("level" in record for record in self.server.records())
        for secret in (dotenv()["LAKEGATE_PASSWORD"], dotenv()["LAKEGATE_TOKEN_KEY"]):
            assert secret not in self.server.log.read_text()

    def sigterm_drains(self):
        answers, told = [], []
        running = connect(self.server)
        idle = connect(self.server)
        thread = threading.Thread(target=lambda: answers.append(running.execute("SELECT 42, pg_sleep(3)").fetchone()))
        thread.start()
        self.wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%, pg_sleep(3)' AND state = 'active'")
        began = time.monotonic()
        self.server.terminate()
        for _ in range(100):
            if self.server.get("/readyz")[0] == 503:
                break
            time.sleep(0.01)
        assert self.server.get("/readyz") == (503, "stopping\n")
        assert self.server.get("/healthz")[0] == 200
        for client, state in ((lambda: idle.execute("SELECT 1"), "57P01"), (lambda: connect(self.server), None)):
            try:
                client()
            except psycopg.OperationalError as error:
                told.append((error.sqlstate, str(error)))
                assert error.sqlstate == state, error
        assert len(told) == 2 and "shutting down" in told[1][1], told
        thread.join()
        assert [answer[0] for answer in answers] == [42], "the statement that ran was cut"
        code = self.server.process.wait(30)
        assert code == 0, f"{code}\n{self.server.log.read_text()[-2000:]}"
        assert time.monotonic() - began < 10

    def wait_for(self, sql):
        for _ in range(100):
            if value(self.server, sql):
                return
            time.sleep(0.05)
        raise AssertionError(sql)

    def a_statement_that_never_ends_is_cut(self):
        """Of a server that begins with the cache of the last."""
        self.server = self.tree.serve({**ENV, "LAKEGATE__ENGINE__STATEMENT_TIMEOUT_MS": "0"})
        fault = []

        def runs():
            with connect(self.server) as connection:
                try:
                    connection.execute(ENDLESS)
                except psycopg.Error as error:
                    fault.append(error.sqlstate)

        thread = threading.Thread(target=runs)
        thread.start()
        self.wait_for("SELECT count(*) > 1 FROM pg_stat_activity WHERE state = 'active'")
        code, seconds = self.server.end()
        thread.join()
        assert code == 0 and fault == ["57P01"], (code, fault)
        assert 20 < seconds < grace_s() + 1, seconds

    def end(self):
        if self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()
        self.tree.end()
        shutil.rmtree(self.lake)


if __name__ == "__main__":
    checks = Checks()
    container = Container()
    try:
        for check in ("any_user_serves", "passwords_are_asked_for", "views_are_filled", "probes_are_answered",
                      "every_metric_that_is_asked_for_exists", "commands_of_the_pages_work",
                      "a_lake_that_is_gone_takes_readiness_and_not_life",
                      "memory_stays_below_a_gigabyte", "only_the_cache_and_tmp_are_written", "logs_are_json_and_have_no_secret",
                      "sigterm_drains", "a_statement_that_never_ends_is_cut"):
            checks.run(check, getattr(container, check))
    finally:
        container.end()
    checks.end()
