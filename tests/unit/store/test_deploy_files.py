"""What deploy/, Dockerfile and compose.yaml say is true of this product."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from state.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PROCESSES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
MANIFESTS = [
    manifest
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
KUBERNETES = "1.33"
PLATFORM_ONLY = {"audiosocket"}
"""Processes without a container. Its ports are for a private network, and most calls come another way."""

OTHERS = {"PATH", "PYTHONUNBUFFERED", "POSTGRES_PASSWORD", "POSTGRES_USER"}
"""Variables of containers that are no settings of ours."""


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    for path in [*UNITS, ROOT / "deploy/systemd/earshot.target"]:  # its programs are not installed here
        (tmp_path / path.name).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text()))
    command = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (said.returncode, [line for line in said.stderr.splitlines() if "earshot" in line]) == (0, [])


def test_each_process_has_a_unit_that_starts_it_as_the_procfile_does() -> None:
    started = {}
    for path in UNITS:
        command = re.findall(r"(?m)^ExecStart=/srv/earshot/\.venv/bin/(.*)$", path.read_text())
        started[path.stem.removeprefix("earshot-")] = shlex.split(command[0])
    assert started == {name: shlex.split(command) for name, command in PROCESSES.items()}


def promtool(*arguments: str, folder: Path) -> None:
    said = subprocess.run(["promtool", *arguments], check=False, capture_output=True, text=True, cwd=folder)
    assert said.returncode == 0, said.stdout + said.stderr


def test_prometheus_takes_its_configuration() -> None:
    promtool("check", "config", "prometheus.yml", folder=ROOT / "deploy/prometheus")


def test_prometheus_asks_every_unit_where_it_answers() -> None:
    _, workers = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    asked = {one["labels"]["process"]: one["targets"] for one in workers["static_configs"]}
    assert asked == {
        path.stem.removeprefix("earshot-"): [f"127.0.0.1:{port}"]
        for path in UNITS
        for port in re.findall(r"(?m)^Environment=METRICS_PORT=(\d+)$", path.read_text())
    }
    assert set(asked) == set(PROCESSES) - {"web"}


def test_every_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    rules = ROOT / "deploy/prometheus/alerts.yml"
    (tmp_path / "alerts.yml").write_text(rules.read_text())
    cases = (ROOT / "tests/data/alerts.yml").read_text()
    (tmp_path / "cases.yml").write_text(cases)
    promtool("test", "rules", "cases.yml", folder=tmp_path)
    fires = {
        case["alertname"]
        for group in yaml.safe_load(cases)["tests"]
        for case in group["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert fires == {rule["alert"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_kubernetes_schema_fits(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_keda_scales_what_there_is_by_an_autoscaler_that_fits() -> None:
    """KEDA's own schema is not at hand. But KEDA makes an autoscaler of Kubernetes, and that has a schema."""
    scaled = yaml.safe_load((ROOT / "deploy/keda/decoder.yaml").read_text())
    spec, name = scaled["spec"], scaled["spec"]["scaleTargetRef"]["name"]
    assert name in {one["metadata"]["name"] for one in MANIFESTS if one["kind"] == "Deployment"}
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": scaled["metadata"],
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": spec["minReplicaCount"],
            "maxReplicas": spec["maxReplicaCount"],
            **spec["advanced"]["horizontalPodAutoscalerConfig"],
        },
    }
    kubernetes_validate.validate(autoscaler, KUBERNETES, strict=True)
    assert all(isinstance(value, str) for one in spec["triggers"] for value in one["metadata"].values())


def test_a_wrong_manifest_would_be_seen() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**MANIFESTS[0], "replicas": 3}, KUBERNETES, strict=True)


def test_containers_start_every_process() -> None:
    deployed = {
        one["metadata"]["labels"]["process"]: one["spec"]["template"]["spec"]["containers"][0].get("command")
        for one in MANIFESTS
        if one["kind"] == "Deployment"
    }
    composed = {name: one.get("command") for name, one in compose().items() if "build" in one}
    image = json.loads(re.findall(r"(?m)^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text())[0])
    for name in set(PROCESSES) - PLATFORM_ONLY:
        wanted = shlex.split(PROCESSES[name])
        assert (deployed.pop(name) or image) == wanted
        assert shlex.split(composed.pop(name) or shlex.join(image)) == wanted
    assert deployed == composed == {}


def test_containers_set_what_there_is_to_set() -> None:
    names = {name for one in compose().values() for name in one.get("environment", {})}
    names |= set(re.findall(r"(?m)^ENV (?:.* )?(\w+)=", (ROOT / "Dockerfile").read_text()))
    for one in MANIFESTS:
        if one["kind"] == "Deployment":
            names |= {each["name"] for each in one["spec"]["template"]["spec"]["containers"][0].get("env", [])}
    assert {name.lower() for name in names - OTHERS} <= {field.name for field in fields(Settings)}


def test_the_image_holds_what_the_processes_need_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    for name in copied:
        assert (ROOT / name).exists(), name
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name.split('/')[0]}" for name in copied} <= set(kept)
    assert text.rindex("USER 10001") > text.rindex("COPY")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])


def test_every_test_that_a_document_names_exists() -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"`(test_\w+)`", path.read_text()):
            assert f"def {name}(" in written, (path.name, name)
        for name in re.findall(r"`((?:\w+/)*test_\w+\.py)`", path.read_text()):
            assert (ROOT / name).exists() or list((ROOT / "tests").rglob(name)), (path.name, name)
