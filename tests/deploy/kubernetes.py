"""The manifests of Kubernetes as kustomize builds them."""
import functools
import pathlib
import shutil
import tempfile
import tomllib

import yaml

from repository import (BASE, DEPLOY, KUSTOMIZE, LAKEGATE, OVERLAYS, PROGRAMS, bytes_of, fails, grace_s, manifests, of_kind, run,
                        text)

# The oldest that the base asks for (`preStop.sleep`), and the newest with a schema.
VERSIONS = ("1.30", "1.37")
# Of operators, whose schemas no package has; see README.md.
CUSTOM = {"PrometheusRule", "Route", "ServiceMonitor"}
# What production takes from elsewhere.
GIVEN_SECRETS = {"lakegate": {"roles.toml", "token-key", "events-token", "access-key-id", "secret-access-key"},
                 "lakegate-tls": {"tls.crt", "tls.key"}}

objects = functools.cache(manifests)


def each(check):
    """The same check for every overlay."""
    def checked():
        for overlay in OVERLAYS:
            try:
                check(objects(overlay))
            except Exception as error:
                raise AssertionError(f"{overlay}: {error}") from error
    checked.__name__ = check.__name__
    return checked


def one(found, kind, name=None):
    of_it = [each for each in of_kind(found, kind) if name is None or each["metadata"]["name"] == name]
    assert len(of_it) == 1, f"{len(of_it)} of {kind} {name}"
    return of_it[0]


def pod_specs(found):
    """Pairs of the labels and the specification of pods."""
    pods = [each["spec"]["template"] for each in of_kind(found, "Deployment")]
    pods += [each["spec"]["jobTemplate"]["spec"]["template"] for each in of_kind(found, "CronJob")]
    return [(pod["metadata"]["labels"], pod["spec"]) for pod in pods]


def server(found):
    return one(found, "Deployment")["spec"]["template"]["spec"]


def container(found):
    return server(found)["containers"][0]


def validated(documents, version):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "built.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        return run(PROGRAMS / "kubernetes-validate", "--strict", "-k", version, path)


@each
def every_object_is_valid(found):
    for version in VERSIONS:
        documents = [document for document in found if document["kind"] not in CUSTOM]
        code, output = validated(documents, version)
        assert code == 0 and "Couldn't find schema" not in output, output
        assert output.count(" passed for resource ") == len(documents), output


def a_wrong_object_is_found():
    changes = {"replicas": "replica", "containers": "container", "readOnlyRootFilesystem": "readOnlyRoot"}
    for right, wrong in changes.items():
        changed = yaml.safe_load(yaml.safe_dump(one(objects("production"), "Deployment")).replace(f"{right}:", f"{wrong}:"))
        code, output = validated([changed], VERSIONS[0])
        assert code != 0, f"{wrong} is taken: {output}"


def selected(found, selector):
    return [spec for labels, spec in pod_specs(found) if selector.items() <= labels.items()]


@each
def selectors_and_labels_agree(found):
    deployment = one(found, "Deployment")
    servers = [server(found)]
    assert selected(found, deployment["spec"]["selector"]["matchLabels"]) == servers
    assert selected(found, one(found, "Service")["spec"]["selector"]) == servers, "the Service has other pods"
    assert selected(found, one(found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]) == servers
    for spread in server(found)["topologySpreadConstraints"]:
        assert selected(found, spread["labelSelector"]["matchLabels"]) == servers
    policy = one(found, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert len(selected(found, policy)) == len(pod_specs(found)), "a pod is outside of the network policy"
    target = one(found, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    for monitor in of_kind(found, "ServiceMonitor"):
        labels = one(found, "Service")["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels[monitor["spec"]["jobLabel"]] == "lakegate"


def configuration(found):
    name = next(volume["configMap"]["name"] for volume in server(found)["volumes"] if "configMap" in volume)
    return one(found, "ConfigMap", name)["data"]["lakegate.toml"]


@each
def ports_agree(found):
    named = {port["name"]: port["containerPort"] for port in container(found)["ports"]}
    config = tomllib.loads(configuration(found))
    assert named == {name: int(config[name]["listen"].rsplit(":", 1)[1]) for name in ("pg", "flight", "http")}
    for port in one(found, "Service")["spec"]["ports"]:
        assert port["targetPort"] in named and port["port"] == named[port["targetPort"]], port
    rules = [port for rule in one(found, "NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]]
    assert {port["port"] for port in rules} == set(named)
    for monitor in of_kind(found, "ServiceMonitor"):
        assert [(end["port"], end["path"]) for end in monitor["spec"]["endpoints"]] == [("http", "/metrics")]


def env_of(found, spec):
    """The environment of the first container; values of secrets are stand-ins."""
    given = {}
    for source in spec["containers"][0].get("envFrom", []):
        given |= one(found, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in spec["containers"][0].get("env", []):
        given[variable["name"]] = variable.get("value", "a stand-in of forty characters, or even more")
    return given


@each
def the_binary_knows_every_setting(found):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "lakegate.toml"
        config.write_text(configuration(found))
        for _, spec in pod_specs(found):
            env = {**env_of(found, spec), "LAKEGATE__HTTP__LISTEN": "127.0.0.1:1"}
            code, output = run(LAKEGATE, "--config", config, "ready", env=env)
            assert code == 1 and "does not answer" in output, output
            assert env["LAKEGATE__LAKE__SOURCES"].startswith('[{url="s3://'), env["LAKEGATE__LAKE__SOURCES"]


def an_unknown_setting_is_found():
    config = BASE / "lakegate.toml"
    fails("unknown field: found `urls`", LAKEGATE, "--config", config, "ready",
          env={"LAKEGATE__LAKE__SOURCES": '[{urls="s3://lake"}]'})
    fails("unknown field: found `memory`", LAKEGATE, "--config", config, "ready", env={"LAKEGATE__ENGINE__MEMORY": "1"})


def secrets(found):
    """What secrets there are: of the overlay, or given."""
    own = {secret["metadata"]["name"]: set(secret["data"]) for secret in of_kind(found, "Secret")}
    return own or GIVEN_SECRETS


@each
def every_reference_exists(found):
    for _, spec in pod_specs(found):
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        mounts = spec["containers"][0]["volumeMounts"]
        assert {mount["name"] for mount in mounts} == set(volumes), "a volume is not used, or not there"
        one(found, "ServiceAccount", spec["serviceAccountName"])
        for variable in spec["containers"][0]["env"]:
            key = variable.get("valueFrom", {}).get("secretKeyRef")
            assert key is None or key["key"] in secrets(found)[key["name"]], variable
        for volume in volumes.values():
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"].get("items", [])}
                assert keys <= secrets(found)[volume["secret"]["secretName"]], volume
            if "configMap" in volume:
                one(found, "ConfigMap", volume["configMap"]["name"])
    mounted = {mount["mountPath"] for mount in container(found)["volumeMounts"]}
    files = [value for name, value in env_of(found, server(found)).items() if name.endswith("_FILE")]
    config = tomllib.loads(configuration(found))
    files += [config["auth"]["roles_file"], config["lake"]["cache_dir"], config["engine"]["spill_dir"]]
    for file in files:
        assert any(file == path or file.startswith(path + "/") for path in mounted), f"{file} is not mounted"


@each
def pods_are_restricted(found):
    """Pod Security Standards, `restricted`; and no user, since OpenShift gives one."""
    for _, spec in pod_specs(found):
        assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert spec["automountServiceAccountToken"] is False
        for each_of_it in spec["containers"]:
            assert each_of_it["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                     "capabilities": {"drop": ["ALL"]}}
            assert each_of_it["resources"]["limits"]["memory"] == "1Gi"
    assert one(found, "ServiceAccount")["automountServiceAccountToken"] is False
    assert "runAsUser" not in yaml.safe_dump(found) and "hostPath" not in yaml.safe_dump(found)


@each
def what_is_written_has_room(found):
    config = tomllib.loads(configuration(found))
    limits = {volume["name"]: bytes_of(volume["emptyDir"]["sizeLimit"]) for volume in server(found)["volumes"]
              if "emptyDir" in volume}
    assert config["lake"]["cache_bytes_max"] + config["lake"]["range_cache_bytes_max"] < limits["cache"]
    assert config["engine"]["spill_bytes_max"] < limits["tmp"]
    assert sum(limits.values()) < bytes_of(container(found)["resources"]["limits"]["ephemeral-storage"])


@each
def the_drain_has_its_time(found):
    pre_stop = container(found)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert server(found)["terminationGracePeriodSeconds"] > pre_stop + grace_s() + 1
    probes = {name: container(found)[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


@each
def the_metadata_address_is_blocked(found):
    blocks = [peer["ipBlock"] for rule in one(found, "NetworkPolicy")["spec"]["egress"] for peer in rule["to"]
              if "ipBlock" in peer]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    excepted = {address for block in blocks for address in block["except"]}
    assert {"169.254.0.0/16", "fd00:ec2::/32"} <= excepted, excepted


@each
def images_are_pinned(found):
    version = tomllib.loads(text("Cargo.toml"))["workspace"]["package"]["version"]
    for _, spec in pod_specs(found):
        assert spec["containers"][0]["image"].endswith(f":{version}"), spec["containers"][0]["image"]


def production_has_replicas_and_no_secret():
    for overlay in ("production", "openshift"):
        found = objects(overlay)
        assert one(found, "Deployment")["spec"]["replicas"] >= 2
        scaler = one(found, "HorizontalPodAutoscaler")["spec"]
        assert scaler["minReplicas"] == one(found, "Deployment")["spec"]["replicas"]
        assert one(found, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
        assert of_kind(found, "Secret") == [], "a secret is in the repository"
        env = env_of(found, server(found))
        assert env["LAKEGATE__PG__TLS_REQUIRED"] == "true" and "LAKEGATE__FLIGHT__TLS_KEY_FILE" in env
        assert one(found, "CronJob")["spec"]["concurrencyPolicy"] == "Forbid"
        assert one(found, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"] == ["refresh"]


def openshift_has_a_route_to_the_events():
    found = objects("openshift")
    route = one(found, "Route")
    assert route["apiVersion"] == "route.openshift.io/v1" and route["spec"]["path"] == "/events"
    assert (route["spec"]["to"]["kind"], route["spec"]["to"]["name"]) == ("Service", one(found, "Service")["metadata"]["name"])
    assert route["spec"]["port"]["targetPort"] in {port["name"] for port in one(found, "Service")["spec"]["ports"]}
    assert route["spec"]["tls"] == {"termination": "edge", "insecureEdgeTerminationPolicy": "None"}


def rules_are_those_of_prometheus():
    rule = one(objects("production"), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(text("deploy/prometheus/rules.yml"))


def a_wrong_patch_is_found():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(DEPLOY / "kubernetes", folder, dirs_exist_ok=True)
        patched = pathlib.Path(folder) / "overlays/production/tls.yaml"
        patched.write_text(patched.read_text().replace("name: lakegate\nspec", "name: lakegate-server\nspec"))
        fails("no matches for", KUSTOMIZE, "build", patched.parent)


CHECKS = [every_object_is_valid, a_wrong_object_is_found, selectors_and_labels_agree, ports_agree, the_binary_knows_every_setting,
          an_unknown_setting_is_found, every_reference_exists, pods_are_restricted, what_is_written_has_room, the_drain_has_its_time,
          the_metadata_address_is_blocked, images_are_pinned, production_has_replicas_and_no_secret,
          openshift_has_a_route_to_the_events, rules_are_those_of_prometheus, a_wrong_patch_is_found]
