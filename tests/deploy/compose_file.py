"""compose.yaml, its variables, and the unit of systemd: as much as can be told without starting anything."""
import base64
import hashlib
import hmac
import os
import pathlib
import re
import tempfile

import yaml

from repository import (DEPLOY, LAKEGATE, PROGRAMS, PROMTOOL, ROOT, bytes_of, compose, dotenv, fails, grace_s, interpolated, run,
                        succeeds, text, toml)

SCHEMA = (PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec")


def yaml_is_tidy():
    succeeds(PROGRAMS / "yamllint", "-s", "-c", ROOT / "tests/deploy/yamllint.yaml", DEPLOY, ROOT / "grafana-provisioning")


def compose_follows_its_schema():
    succeeds(*SCHEMA, DEPLOY / "compose.yaml")


def a_wrong_key_is_found():
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder) / "compose.yaml"
        wrong.write_text(text("deploy/compose.yaml").replace("stop_grace_period:", "stop_grace:"))
        fails("stop_grace", *SCHEMA, wrong)


def every_variable_has_an_example():
    used = set(re.findall(r"\$\{(\w+)", text("deploy/compose.yaml")))
    assert used == set(dotenv()), used ^ set(dotenv())
    # Secrets are in .env only.
    for value in dotenv().values():
        assert len(value) < 12 or value not in text("deploy/compose.yaml"), value
    assert "/deploy/.env" in text(".gitignore").splitlines()


def images_are_pinned_and_ports_are_on_the_loopback():
    version = toml("Cargo.toml")["workspace"]["package"]["version"]
    for name, service in compose()["services"].items():
        tag = service["image"].rsplit(":", 1)[-1]
        assert tag[0].isdigit() or re.match(r"v\d|RELEASE\.\d", tag), f"{name}: {service['image']}"
        if service["image"].startswith("lakegate:"):
            assert tag == version, tag
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port}"


def what_is_mounted_exists():
    document = compose()
    for name, service in document["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name}: {source}"
                assert mount.endswith(":ro"), f"{name} may write {source}"
            else:
                assert source in document["volumes"], f"{name}: {source}"


def the_server_is_bounded_and_has_time_to_end():
    service = compose()["services"]["lakegate"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert bytes_of(service["mem_limit"]) == 2**30
    assert int(service["stop_grace_period"].removesuffix("s")) > grace_s()
    size = int(re.search(r"size=(\d+)g", service["tmpfs"][0])[1]) * 2**30
    assert toml("deploy/compose/lakegate.toml")["engine"]["spill_bytes_max"] < size


def grafana_reaches_the_data_source_that_is_provisioned():
    services = compose()["services"]
    assert services["grafana"]["network_mode"] == "service:lakegate"
    config = toml("deploy/compose/lakegate.toml")
    port = config["pg"]["listen"].rsplit(":", 1)[1]
    source = text("grafana-provisioning/datasources/lakegate.yaml")
    assert f"url: 127.0.0.1:{port}\n" in source and "password: $LAKEGATE_PASSWORD" in source
    assert "LAKEGATE_PASSWORD" in services["grafana"]["environment"]
    # Its port is published where its network is.
    assert "127.0.0.1:3000:3000" in services["lakegate"]["ports"] and "ports" not in services["grafana"]


def the_verifier_is_that_of_the_password():
    """RFC 5802, section 3."""
    variables = dotenv()
    head, keys = variables["LAKEGATE_VERIFIER"].removeprefix("SCRAM-SHA-256$").split("$")
    iterations, salt = head.split(":")
    stored, server = keys.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", variables["LAKEGATE_PASSWORD"].encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert base64.b64decode(stored) == hashlib.sha256(client_key).digest()
    assert base64.b64decode(server) == hmac.digest(salted, b"Server Key", "sha256")
    assert variables["LAKEGATE_VERIFIER"] in text("deploy/kubernetes/overlays/development/roles.example.toml")


def scripts_are_of_any_shell():
    succeeds(PROGRAMS / "shellcheck", "--shell=sh", DEPLOY / "compose/prepare.sh")


def known(config, env=None):
    """Whether the binary knows every key: `ready` reads the whole configuration, and then asks a server that is not there."""
    code, output = run(LAKEGATE, "--config", config, "ready", env={**(env or {}), "LAKEGATE__HTTP__LISTEN": "127.0.0.1:1"})
    assert code == 1 and "does not answer" in output, f"{config}: {output}"


def the_binary_knows_every_setting():
    environment = compose()["services"]["lakegate"]["environment"]
    known(DEPLOY / "compose/lakegate.toml", {name: interpolated(value, dotenv()) for name, value in environment.items()})
    known(DEPLOY / "systemd/lakegate.toml", unit_environment())


def an_unknown_setting_is_found():
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder) / "lakegate.toml"
        wrong.write_text(text("deploy/compose/lakegate.toml").replace("cache_dir", "cache_folder"))
        fails("unknown field: found `cache_folder`", LAKEGATE, "--config", wrong, "ready")
    fails("unknown field: found `listens`", LAKEGATE, "--config", DEPLOY / "compose/lakegate.toml", "ready",
          env={"LAKEGATE__PG__LISTENS": "127.0.0.1:1"})


def unit():
    lines = [line for line in text("deploy/systemd/lakegate.service").splitlines() if "=" in line and line[0] != "#"]
    return [tuple(line.split("=", 1)) for line in lines]


def unit_environment():
    pairs = [value.split("=", 1) for name, value in unit() if name == "Environment"]
    return {name: value.replace("%d", "/run/credentials/lakegate.service") for name, value in pairs}


def the_unit_is_hardened_and_bounded():
    settings = dict(unit())
    assert settings["DynamicUser"] == "yes" and settings["ProtectSystem"] == "strict" and settings["NoNewPrivileges"] == "yes"
    assert settings["MemoryMax"] == "1G" and int(settings["LimitNOFILE"]) >= 65536
    assert int(settings["TimeoutStopSec"]) > grace_s()
    cache = unit_environment()["LAKEGATE__LAKE__CACHE_DIR"]
    assert cache == f"/var/cache/{settings['CacheDirectory']}", cache


def verified(unit_text):
    """What systemd says of a unit whose program exists."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "lakegate.service"
        path.write_text(unit_text.replace("/usr/local/bin/lakegate", "/bin/true"))
        return run("systemd-analyze", "verify", "--man=no", path)[1]


def systemd_takes_the_unit():
    said = verified(text("deploy/systemd/lakegate.service"))
    assert said.strip() == "", said
    wrong = verified(text("deploy/systemd/lakegate.service").replace("MemoryMax", "MemoryMost"))
    assert "MemoryMost" in wrong, "an unknown directive is not found"


def prometheus_takes_its_files():
    succeeds(PROMTOOL, "check", "config", DEPLOY / "prometheus/prometheus.yml")
    succeeds(PROMTOOL, "check", "rules", DEPLOY / "prometheus/rules.yml")
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder) / "rules.yml"
        wrong.write_text(text("deploy/prometheus/rules.yml").replace("== 0", "=== 0"))
        fails("could not parse expression", PROMTOOL, "check", "rules", wrong)


def prometheus_scrapes_the_server():
    port = toml("deploy/compose/lakegate.toml")["http"]["listen"].rsplit(":", 1)[1]
    assert f'targets: ["lakegate:{port}"]' in text("deploy/prometheus/prometheus.yml")


def alert_rules_are_whole():
    groups = yaml.safe_load(text("grafana-provisioning/alerting/lakegate.yaml"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["uid"] for rule in rules}) == len(rules) >= 4
    for rule in rules:
        models = {data["refId"]: data for data in rule["data"]}
        asked, threshold = models["A"], models[rule["condition"]]
        assert asked["datasourceUid"] == "lakegate" and asked["model"]["format"] == "table" and asked["model"]["rawSql"]
        assert threshold["datasourceUid"] == "__expr__" and threshold["model"]["expression"] == "A"
        assert threshold["model"]["type"] == "threshold" and len(threshold["model"]["conditions"]) == 1
        assert all(data["model"]["refId"] == name for name, data in models.items())
        assert rule["for"] and rule["annotations"]["summary"] and rule["noDataState"] and rule["execErrState"]


CHECKS = [yaml_is_tidy, compose_follows_its_schema, a_wrong_key_is_found, every_variable_has_an_example,
          images_are_pinned_and_ports_are_on_the_loopback, what_is_mounted_exists, the_server_is_bounded_and_has_time_to_end,
          grafana_reaches_the_data_source_that_is_provisioned, the_verifier_is_that_of_the_password, scripts_are_of_any_shell,
          the_binary_knows_every_setting, an_unknown_setting_is_found, the_unit_is_hardened_and_bounded,
          prometheus_scrapes_the_server, alert_rules_are_whole]
if PROMTOOL:
    CHECKS.append(prometheus_takes_its_files)
if os.path.exists("/usr/bin/systemd-analyze"):
    CHECKS.append(systemd_takes_the_unit)
