"""Gateways that are no Envoy: LiteLLM's proxy, with one worker, in front of the same upstream."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path

import load
import processes
from contestants import Contestant, Setting

LITELLM = "litellm"
# Quiet, offline, and without the key that it asks for where others can reach it.
ENVIRONMENT = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}


def litellm(setting: Setting, binary: str) -> Contestant:
    """LiteLLM as its documentation sets it up, without a database."""
    port = processes.free_port()
    base = f"http://127.0.0.1:{setting.upstream}"
    config = processes.write_config(setting.folder / "litellm.yaml", _config(base))
    command = [binary, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--num_workers", "1"]
    env = {**os.environ, **ENVIRONMENT}
    process = processes.Process(command, load.pin_gateway, Path(f"{config}.log"), env)
    process.ready_seconds = process.wait_until(lambda: _is_ready(port))
    return Contestant(LITELLM, port, port, process)


def _config(base: str) -> dict:
    def model(name: str, provider: str, api_base: str) -> dict:
        params = {"model": f"{provider}/{name}", "api_base": api_base, "api_key": "none"}
        return {"model_name": name, "litellm_params": params}

    models = [
        model("gpt-bench", "openai", f"{base}/v1"),
        model("claude-bench", "anthropic", base),
    ]
    return {"model_list": models}


def _is_ready(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/health/liveliness"
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
