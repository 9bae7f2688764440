"""What is in the repository: its files, the constants of its sources, and the programs that look at manifests.

Programs come from the environment: LAKEGATE is the built binary, KUSTOMIZE and PROMTOOL may be absent.
"""
import os
import pathlib
import re
import subprocess
import sys
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OVERLAYS = ("development", "production", "openshift")
LAKEGATE = os.environ.get("LAKEGATE", "")
KUSTOMIZE = os.environ.get("KUSTOMIZE", "")
PROMTOOL = os.environ.get("PROMTOOL", "")
# Beside the Python that runs this.
PROGRAMS = pathlib.Path(sys.executable).parent


def run(*command, env=None, **options):
    """The exit code, and all that the program wrote."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                          env=None if env is None else {**os.environ, **env}, **options)
    return done.returncode, done.stdout


def succeeds(*command, **options):
    code, output = run(*command, **options)
    assert code == 0, f"{command[0]} ended with {code}:\n{output}"
    return output


def fails(said, *command, **options):
    code, output = run(*command, **options)
    assert code != 0, f"{command[0]} found nothing wrong:\n{output}"
    assert said in output, f"{said!r} is not in:\n{output}"


def text(path):
    return (ROOT / path).read_text()


def toml(path):
    return tomllib.loads(text(path))


def compose():
    return yaml.safe_load(text("deploy/compose.yaml"))


def dotenv():
    """The variables of .env.example; single quotes keep a value as it is."""
    lines = [line for line in text("deploy/.env.example").splitlines() if line and not line.startswith("#")]
    return {name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)}


def interpolated(value, variables):
    """A value of compose.yaml with ${NAME} and ${NAME:?message} replaced."""
    return re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", lambda match: variables[match[1]], str(value))


def grace_s():
    """How long the drain of the server may take, as its source has it."""
    seconds = re.search(r"pub const GRACE: Duration = Duration::from_secs\((\d+)\)", text("gateway/src/shutdown.rs"))
    return int(seconds[1])


def manifests(overlay):
    """The objects of an overlay as kustomize builds them."""
    built = succeeds(KUSTOMIZE, "build", DEPLOY / "kubernetes" / "overlays" / overlay)
    return [document for document in yaml.safe_load_all(built) if document]


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def bytes_of(quantity):
    """A quantity of Kubernetes or compose in bytes."""
    number, unit = re.fullmatch(r"(\d+)(\w*)", str(quantity)).groups()
    units = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 2**10, "m": 2**20, "g": 2**30}
    return int(number) * units[unit]
