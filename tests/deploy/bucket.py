"""Runs what compose.yaml describes without containers: MinIO, prepare.sh with a real `mc`, and Lakegate over the bucket.

Takes LAKEGATE, DEMO, MINIO and MC from the environment. Needs root. Hosts and ports of the services become the loopback's.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"))
from checks import Checks
from repository import ROOT, compose, dotenv, interpolated, succeeds, text
from tree import Tree

# The image's own.
USER = 65532


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def environment(service):
    return {name: interpolated(value, dotenv()) for name, value in compose()["services"][service]["environment"].items()}


class Composed:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lakegate-compose-"))
        self.minio_port, self.http_port = free_port(), free_port()
        self.minio_url = f"http://127.0.0.1:{self.minio_port}"
        for name in ("data", "roles", "mc", "empty"):
            (self.folder / name).mkdir()
        env = environment("minio")
        env["MINIO_NOTIFY_WEBHOOK_ENDPOINT_LAKEGATE"] = f"http://127.0.0.1:{self.http_port}/events"
        self.minio = subprocess.Popen(
            [os.environ["MINIO"], "server", "--quiet", "--address", f"127.0.0.1:{self.minio_port}", self.folder / "data"],
            env={**os.environ, **env, "MINIO_BROWSER": "off"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.tree = self.server = None
        self.env = {"MC_CONFIG_DIR": str(self.folder / "mc")}
        for _ in range(300):
            try:
                if urllib.request.urlopen(self.minio_url + "/minio/health/live", timeout=5).status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("MinIO does not start")

    def prepared(self):
        """prepare.sh as it is, but for the places; twice, since compose may run it again."""
        script = text("deploy/compose/prepare.sh")
        for of_compose, here in (("http://minio:9000", self.minio_url), ("/demo/demo", os.environ["DEMO"]),
                                 ("/roles/", f"{self.folder}/roles/")):
            assert of_compose in script, of_compose
            script = script.replace(of_compose, here)
        path = self.folder / "prepare.sh"
        path.write_text(script)
        programs = self.folder / "bin"
        programs.mkdir()
        os.symlink(os.environ["MC"], programs / "mc")
        env = {**environment("prepare"), **self.env, "PATH": f"{programs}:{os.environ['PATH']}"}
        succeeds("sh", path, env=env)
        succeeds("sh", path, env=env)
        assert dotenv()["LAKEGATE_VERIFIER"] in (self.folder / "roles/roles.toml").read_text()

    def the_server_starts_as_the_user_of_the_image(self):
        config = text("deploy/compose/lakegate.toml").replace("http://minio:9000", self.minio_url)
        roles = (self.folder / "roles/roles.toml").read_text()
        self.tree = Tree(self.folder / "empty", config, roles, ROOT / "sql")
        # MinIO was told where.
        env = {**environment("lakegate"), "LAKEGATE__HTTP__LISTEN": f"127.0.0.1:{self.http_port}"}
        self.server = self.tree.serve(env, user=USER)
        assert self.server.status()["Uid"].split() == [str(USER)] * 4
        assert self.server.get("/readyz") == (200, "ready\n")

    def ask(self, sql):
        with psycopg.connect(host="127.0.0.1", port=self.server.pg, dbname="lakegate", user="grafana",
                             password=dotenv()["LAKEGATE_PASSWORD"], autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def dashboards_have_data(self):
        """What each dashboard opens with, as the role that Grafana has."""
        for _ in range(240):
            if self.ask("SELECT bool_and(is_populated) FROM system.matview_status") == [(True,)]:
                break
            time.sleep(0.5)
        else:
            raise AssertionError(self.ask("SELECT name, is_populated, last_error FROM system.matview_status"))
        for relation in ("climate_analysis", "weather.daily", "transactions.daily", "system.matview_refreshes"):
            assert self.ask(f"SELECT count(*) > 0 FROM {relation}") == [(True,)], relation
        assert self.ask("SELECT writable, write_test FROM system.sources") == [(True, "passed")]

    def an_upload_sends_an_event(self):
        new = self.folder / "new.csv"
        new.write_text("a,b\n1,2\n")
        succeeds(os.environ["MC"], "cp", new, "minio/lake/weather/new.csv", env=self.env, cwd=self.folder)
        for _ in range(100):
            taken = next(line for line in self.server.get("/metrics")[1].splitlines()
                         if line.startswith("lakegate_bucket_events_total "))
            if float(taken.split()[1]) >= 1 and self.there("weather", "new"):
                return
            time.sleep(0.1)
        raise AssertionError(f"{taken}, and the table is {'there' if self.there('weather', 'new') else 'not there'}")

    def there(self, schema, name):
        return self.ask(f"SELECT count(*) FROM system.tables WHERE schema = '{schema}' AND name = '{name}'") == [(1,)]

    def a_store_that_is_gone_takes_readiness_and_not_life(self):
        self.minio.kill()
        self.minio.wait()
        status, body = self.server.get("/readyz")
        assert (status, body) == (503, "the lake does not answer\n")
        assert self.server.get("/healthz")[0] == 200
        code, seconds = self.server.end()
        assert code == 0 and seconds < 30, (code, seconds)

    def end(self):
        if self.minio.poll() is None:
            self.minio.kill()
            self.minio.wait()
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()
        if self.tree is not None:
            self.tree.end()
        shutil.rmtree(self.folder)


if __name__ == "__main__":
    checks = Checks()
    composed = Composed()
    try:
        for check in ("prepared", "the_server_starts_as_the_user_of_the_image", "dashboards_have_data", "an_upload_sends_an_event",
                      "a_store_that_is_gone_takes_readiness_and_not_life"):
            checks.run(check, getattr(composed, check))
    finally:
        composed.end()
    checks.end()
