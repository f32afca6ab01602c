"""Every query of the Grafana dashboard, by a real Prometheus, of both hosts' metrics."""

import os
import subprocess
import sys

import pytest
from services import ROOT, envoy, needed, sluice


@pytest.mark.parametrize("host", ["wasm", "module"])
def test_every_query_returns_data(host: str) -> None:
    places = (os.environ.get("PROMETHEUS"), ROOT / ".tools/bin/prometheus", "prometheus")
    needed("Prometheus", *places)
    command = [sys.executable, ROOT / "dashboards/check.py", "--sluice", sluice()]
    command += ["--host", host, "--seconds", "12"]
    environment = os.environ | {"ENVOY": str(envoy())}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
