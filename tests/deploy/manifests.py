"""Checks the manifests of deploy/ without starting what they describe."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients" / "python"))
import compose_file
import container_file
import kubernetes
from checks import Checks
from repository import KUSTOMIZE

if __name__ == "__main__":
    checks = Checks()
    for check in container_file.CHECKS + compose_file.CHECKS + (kubernetes.CHECKS if KUSTOMIZE else []):
        checks.run(check.__name__, check)
    checks.end()
