"""A tree as the image has it, and processes in it: any user, group 0, nothing to write but the cache and /tmp.

There is no container engine here: mount namespaces, read-only binds and another root stand for it. Needs root. The network stays
the machine's, so everything listens on its loopback.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from repository import LAKEGATE

# Of a range that OpenShift gives; nobody has it in /etc/passwd.
ANY_USER = 1000740000
MEMORY_BYTES = 1 << 30
PORTS = {"LAKEGATE__PG__LISTEN": "127.0.0.1:0", "LAKEGATE__FLIGHT__LISTEN": "127.0.0.1:0", "LAKEGATE__HTTP__LISTEN": "127.0.0.1:0"}

# $1 is the tree, $2 the cache, $3 the lake, the rest the program. Only the cache, the lake and /tmp can be written.
MOUNTS = """
set -eu
tree=$1 cache=$2 lake=$3 user=$4
shift 4
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount -o remount,bind,ro "$tree"
mount --bind "$cache" "$tree/var/cache/lakegate"
mount --bind "$lake" "$tree/lake"
mount -t tmpfs -o size=2g,mode=1777 tmpfs "$tree/tmp"
for shared in proc sys dev; do mount --rbind "/$shared" "$tree/$shared"; done
if [ -n "${CGROUP_PROCS:-}" ]; then echo $$ >"$CGROUP_PROCS"; fi
exec unshare --root="$tree" --wd=/etc/lakegate --setgid=0 --setuid="$user" /usr/local/bin/lakegate "$@"
"""


def libraries():
    """What the dynamic linker needs; an image without a shell has no more."""
    listed = subprocess.run(["ldd", LAKEGATE], check=True, capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


class Group:
    """A control group of 1 GiB below our own, where that may be made; else nothing."""

    def __init__(self):
        self.procs, self.path = "", None
        for base, limit in self.places():
            path = base / f"lakegate-test-{os.getpid()}"
            try:
                path.mkdir()
            except OSError:
                continue
            self.path = path
            try:
                (path / limit).write_text(str(MEMORY_BYTES))
            except OSError:
                self.end()
                continue
            self.procs = str(path / "cgroup.procs")
            return

    @staticmethod
    def places():
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "memory":
                yield pathlib.Path("/sys/fs/cgroup/memory" + path), "memory.limit_in_bytes"
            elif controllers == "":
                yield pathlib.Path("/sys/fs/cgroup" + path), "memory.max"

    def end(self):
        if self.path is not None:
            self.path.rmdir()
            self.path = None


class Tree:
    def __init__(self, lake, config, roles, sql):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lakegate-tree-"))
        self.folder.chmod(0o755)
        self.root, self.cache, self.lake = self.folder / "root", self.folder / "cache", pathlib.Path(lake)
        for path in ("usr/local/bin", "etc/lakegate", "run/lakegate", "var/cache/lakegate", "lake", "tmp", "proc", "sys", "dev"):
            (self.root / path).mkdir(parents=True)
        shutil.copy(LAKEGATE, self.root / "usr/local/bin/lakegate")
        for library in libraries():
            target = self.root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
        (self.root / "etc/lakegate/lakegate.toml").write_text(config)
        (self.root / "run/lakegate/roles.toml").write_text(roles)
        shutil.copytree(sql, self.root / "etc/lakegate/sql")
        self.made = sorted(self.root.rglob("*"))
        # As the image has it.
        self.cache.mkdir()
        os.chown(self.cache, 65532, 0)
        self.cache.chmod(0o770)
        self.group = Group()

    def command(self, *arguments, user=ANY_USER):
        return ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", str(self.root), str(self.cache), str(self.lake), str(user),
                *arguments]

    def environment(self, env):
        # No HOME, no PATH, and nothing else of who runs the tests.
        return {**PORTS, **env, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "CGROUP_PROCS": self.group.procs}

    def run(self, *arguments, env, **options):
        done = subprocess.run(self.command(*arguments, **options), env=self.environment(env), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    def serve(self, env, user=ANY_USER):
        return Served(self, env, user)

    def end(self):
        self.group.end()
        shutil.rmtree(self.folder)


class Served:
    def __init__(self, tree, env, user):
        self.log = tree.folder / f"log-{time.monotonic_ns()}"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(tree.command("serve", user=user), env=tree.environment(env), cwd="/",
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pg = self.port(r"PostgreSQL +127\.0\.0\.1:(\d+)")
        self.http = self.port(r"HTTP +http://127\.0\.0\.1:(\d+)")

    def port(self, pattern):
        for _ in range(600):
            found = re.search(pattern, self.log.read_text())
            if found:
                return int(found[1])
            assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
            time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def get(self, path):
        """The status and the body; 0 when nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return 0, ""

    def status(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def records(self):
        """The log, which is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """The exit code, and the seconds that it took."""
        began = time.monotonic()
        self.terminate()
        code = self.process.wait(60)
        return code, time.monotonic() - began
