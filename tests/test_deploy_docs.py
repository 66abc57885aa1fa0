"""What the pages on deploying show is taken in by what it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

from flownb.server.app import FlowNB

PAGES = Path(__file__).parents[1] / "docs" / "deploy"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)


def configured(source: str) -> Config:
    config = Config()
    exec(source, {"c": config})  # as Jupyter does
    return config


def test_the_configuration_of_one_server_has_settings_that_are_there() -> None:
    config = configured(blocks("server.md", "py")[0])
    assert set(config.FlowNB) <= set(FlowNB.class_trait_names(config=True))
    assert config.FlowNB.callback_port == 8890
    FlowNB(config=config)


def test_the_manifests_fit_together() -> None:
    (text,) = blocks("kubernetes.md", "yaml")
    found = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}
    pod = found["Deployment", "flownb"]["spec"]["template"]["spec"]
    config = configured(found["ConfigMap", "flownb"]["data"]["jupyter_server_config.py"])
    ports = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
    assert ports["links"] == config.FlowNB.callback_port
    assert pod["terminationGracePeriodSeconds"] > config.FlowNB.shutdown_seconds
    assert found["Service", "flownb-links"]["spec"]["ports"][0]["targetPort"] == "links"
    mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in pod["volumes"]}
    assert config.FlowNB.key_file.startswith(mounted["key"])
    assert config.FlowNB.data_dir == mounted["data"]
    assert set(config.FlowNB) <= set(FlowNB.class_trait_names(config=True))


@pytest.mark.skipif(not shutil.which("nginx") or not shutil.which("openssl"), reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    (text,) = blocks("server.md", "nginx")
    for name in ("flows", "jupyter"):
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
        made += ["-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")]
        subprocess.run(made, check=True, capture_output=True)
    file = tmp_path / "nginx.conf"
    text = text.replace("/etc/ssl", str(tmp_path))
    file.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    told = subprocess.run(["nginx", "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
