"""Servers on ports of their own, a client of raw bytes, and memory as the kernel counts it."""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import socket
import statistics
import struct
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY = b"Z\x00\x00\x00\x05I"


def binary():
    """The release build, unless LAKEGATE_BINARY names another."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = pathlib.Path(os.environ.get("LAKEGATE_BINARY", target / "release" / "lakegate"))
    if not path.exists():
        raise SystemExit(f"{path} does not exist: cargo build --release, or set LAKEGATE_BINARY")
    return path


class Server:
    """A process, its address, and its memory."""

    def __init__(self, pid, host, port, user, database, flight_port=None):
        self.pid, self.host, self.port, self.user, self.database = pid, host, port, user, database
        self.flight_port = flight_port

    def memory(self, key="VmRSS"):
        """Kilobytes of the process and of all it started, by /proc."""
        pids, seen = [self.pid], 0
        while pids:
            pid = pids.pop()
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                found = re.search(rf"^{key}:\s+(\d+)", status, re.M)
                seen += int(found[1]) if found else 0
                pids += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return seen


@contextlib.contextmanager
def lakegate(work, lake, writable=False, **settings):
    """Lakegate over a folder; yields the server and the seconds from its start to its banner."""
    config = work / "lakegate.toml"
    source = f'{{ url = "{lake}", writable = {"true" if writable else "false"} }}'
    lines = [f'sql_dir = "{ROOT / "sql"}"', f"lake.sources = [{source}]"]
    lines += [f'{room}.listen = "127.0.0.1:0"' for room in ("pg", "flight", "http")]
    lines += [f"{key} = {value}" for key, value in settings.items()]
    config.write_text("\n".join(lines) + "\n")
    log = work / "lakegate.log"
    started = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            [binary(), "--config", config, "serve"], stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=work)
    try:
        while True:
            found = re.search(r"^ *PostgreSQL +127\.0\.0\.1:(\d+)", log.read_text(), re.M)
            if found and "Flight SQL" in log.read_text():
                break
            if process.poll() is not None:
                raise SystemExit(f"lakegate did not start:\n{log.read_text()}")
            time.sleep(0.005)
        flight = re.search(r"^ *Flight SQL +127\.0\.0\.1:(\d+)", log.read_text(), re.M)
        server = Server(process.pid, "127.0.0.1", int(found[1]), "lakegate", "lakegate", int(flight[1]))
        yield server, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def postgres(work):
    """A throw-away PostgreSQL of the system's package, as it is configured by default; yields the server."""
    programs = pathlib.Path(os.environ.get("PGBIN") or subprocess.run(
        ["sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1"], capture_output=True, text=True, check=True
    ).stdout.strip() or "/usr/bin")
    data = work / "postgres"
    data.mkdir()
    options = {}
    if os.geteuid() == 0:  # PostgreSQL does not run as root.
        user = pwd.getpwnam("postgres")
        options = {"user": "postgres"}
        for path in (work, data):
            shutil.chown(path, user.pw_uid, user.pw_gid)
    subprocess.run([programs / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C"],
                   check=True, stdout=subprocess.DEVNULL, **options)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", work],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    server = Server(process.pid, "127.0.0.1", port, "postgres", "postgres")
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), Connection(server):
                break
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait()


def frame(tag, body):
    return tag + struct.pack("!i", len(body) + 4) + body


class Connection:
    """A raw connection that reads and throws away, so that the client costs next to nothing."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray(1 << 20)
        body = struct.pack("!i", 3 << 16)
        body += b"".join(part.encode() + b"\0" for part in ("user", server.user, "database", server.database)) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.drain()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def drain(self):
        """Reads to ReadyForQuery; gives the bytes that came and the last of them."""
        total, tail = 0, b""
        while True:
            read = self.socket.recv_into(self.buffer)
            if read == 0:
                raise OSError("the server hung up")
            total += read
            tail = (tail + bytes(self.buffer[max(0, read - 64):read]))[-64:]
            if tail.endswith(READY):
                return total, tail

    def text(self, sql):
        self.socket.sendall(frame(b"Q", sql.encode() + b"\0"))
        return self.drain()

    def binary(self, sql):
        parts = [
            frame(b"P", b"\0" + sql.encode() + b"\0\0\0"),
            frame(b"B", b"\0\0\0\0\0\0\0\x01\0\x01"),
            frame(b"E", b"\0\0\0\0\0"),
            frame(b"S", b""),
        ]
        self.socket.sendall(b"".join(parts))
        return self.drain()


class Peak:
    """The most memory that a server had while this ran."""

    def __init__(self, server):
        self.server, self.before, self.most = server, server.memory(), 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.02):
            self.most = max(self.most, self.server.memory())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def growth_mib(self):
        return max(0, self.most - self.before) / 1024


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def timed(run):
    """The seconds that a run takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def medians(titles, ask, rounds):
    """The median of each question in milliseconds; the first round is left out."""
    found = {}
    for title in titles:
        times = [timed(lambda title=title, n=n: ask(title, n)) * 1000 for n in range(1, rounds + 2)]
        found[title] = statistics.median(times[1:])
    return found
