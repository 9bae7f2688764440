#!/usr/bin/env python3
"""From the PUT of an object into a bucket of MinIO to the row that a query sees, with bucket notifications.

    python3 tests/bench/freshness.py [--puts 1000]

MINIO names the server's program. Every PUT is a new CSV file of one table that has a thousand already; the clock starts when
MinIO has answered, and a client asks for the row as fast as it is answered. The poll is a minute apart: only events can show a
file sooner.
"""
import argparse
import contextlib
import io
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from minio import Minio
from minio.notificationconfig import NotificationConfig, QueueConfig

from common import Connection, binary

KEY, SECRET, TOKEN, BUCKET = "user-of-the-bench", "password-of-the-bench", "token-of-the-bench", "lake"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(*command, cwd, **environment):
    with (cwd / "log").open("w") as output:
        process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def until(work, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            return work()
        time.sleep(0.1)
    return work()


class Address:
    def __init__(self, port):
        self.host, self.port, self.user, self.database = "127.0.0.1", port, "lakegate", "lakegate"


def put(client, number):
    text = f"id,at\n{number},2024-01-01 00:00:00\n".encode()
    client.put_object(BUCKET, f"live/rows/{number}.csv", io.BytesIO(text), len(text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--puts", type=int, default=200)
    options = parser.parse_args()
    s3, http, pg = free_port(), free_port(), free_port()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "minio" / BUCKET).mkdir(parents=True)
        (folder / "lakegate").mkdir()
        stack.enter_context(running(
            os.environ.get("MINIO", "minio"), "server", "--quiet", "--address", f"127.0.0.1:{s3}", folder / "minio",
            cwd=folder / "minio", MINIO_ROOT_USER=KEY, MINIO_ROOT_PASSWORD=SECRET, MINIO_BROWSER="off", MINIO_UPDATE="off",
            MINIO_NOTIFY_WEBHOOK_ENABLE_LAKEGATE="on",
            MINIO_NOTIFY_WEBHOOK_ENDPOINT_LAKEGATE=f"http://127.0.0.1:{http}/events",
            MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_LAKEGATE=TOKEN))
        client = Minio(f"127.0.0.1:{s3}", KEY, SECRET, secure=False)
        until(lambda: client.bucket_exists(BUCKET))
        for number in range(1000):
            put(client, number)
        config = folder / "lakegate" / "lakegate.toml"
        config.write_text(f"""
            pg.listen = "127.0.0.1:{pg}"
            flight.listen = "127.0.0.1:0"
            http.listen = "127.0.0.1:{http}"
            http.events_token = "{TOKEN}"
            lake.poll_interval_ms = 60000
            [[lake.sources]]
            url = "s3://{BUCKET}"
            endpoint = "http://127.0.0.1:{s3}"
            region = "us-east-1"
            path_style = true
            allow_http = true
            access_key_id = "{KEY}"
            secret_access_key = "{SECRET}"
        """)
        stack.enter_context(running(binary(), "--config", config, "serve", cwd=folder / "lakegate"))
        connection = stack.enter_context(until(lambda: Connection(Address(pg))))
        queue = QueueConfig(queue="arn:minio:sqs::LAKEGATE:webhook", events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
        until(lambda: client.set_bucket_notification(BUCKET, NotificationConfig(queue_config_list=[queue])))
        taken = []
        for number in range(1000, 1000 + options.puts):
            put(client, number)
            started = time.perf_counter()
            while b"SELECT 1\0" not in connection.text(f"SELECT 1 FROM live.rows WHERE id = {number}")[1]:
                if time.perf_counter() - started > 30:
                    raise SystemExit(f"row {number} is not seen")
            taken.append(time.perf_counter() - started)
        taken.sort()
        p99 = taken[int(len(taken) * 0.99) - 1]
        print(f"{len(taken)} PUTs: seen after p50 {statistics.median(taken) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
              f"max {taken[-1] * 1000:.0f} ms")


if __name__ == "__main__":
    main()
