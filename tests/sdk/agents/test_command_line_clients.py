"""The command line clients that people run, in a home folder of nothing but their settings: each
finishes a task of two commands, whichever provider answers it.

Run by `make clients`, which installs them. What has passed is written to docs/clients.md when
UPDATE is set.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import CLIENT_KEY, ROOT, Provider
from providers import MODELS

BIN = Path(__file__).parent / "node_modules" / ".bin"
# Generous: each starts a program of node, and there may be little of a processor.
SECONDS = 180
PAGE = ROOT / "docs" / "clients.md"


def steps(tool: str, argument: str) -> str:
    """What makes the mock ask for two commands, the second one on the first one's result."""
    write, read = (
        f"call:{tool} {json.dumps({argument: command})}"
        for command in ("echo 42 > answer.txt", "cat answer.txt")
    )
    return f"{write} then: {read} then: say:Done, it is there."


def codex(gateway: str, model: str, home: Path) -> tuple[list, dict]:
    settings = f"""
        model = "{model}"
        model_provider = "sluice"
        # OpenAI runs it; other providers cannot.
        web_search = "disabled"
        [model_providers.sluice]
        name = "Sluice"
        base_url = "{gateway}/v1"
        env_key = "SLUICE_KEY"
        wire_api = "responses"
    """
    (home / "config.toml").write_text("\n".join(line.strip() for line in settings.splitlines()))
    command = [
        BIN / "codex",
        "exec",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        steps("exec_command", "cmd"),
    ]
    return command, {"CODEX_HOME": str(home), "SLUICE_KEY": CLIENT_KEY}


def gemini(gateway: str, model: str, home: Path) -> tuple[list, dict]:
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    command = [BIN / "gemini", "--model", model, "--yolo", "--skip-trust"]
    command += ["--prompt", steps("run_shell_command", "command")]
    return command, {"GEMINI_API_KEY": CLIENT_KEY, "GOOGLE_GEMINI_BASE_URL": gateway}


@pytest.fixture(scope="module")
def gateway(gateways: Callable[[str], str]) -> str:
    return gateways("module")


@pytest.fixture(scope="module")
def passed() -> Iterator[set[tuple[str, str]]]:
    """The cells that have passed, by client and provider."""
    cells: set[tuple[str, str]] = set()
    yield cells
    if os.environ.get("UPDATE"):
        write_page(cells)


@pytest.mark.parametrize("provider_name", MODELS)
@pytest.mark.parametrize("client", [codex, gemini], ids=lambda client: client.__name__)
def test_a_task_of_two_commands_is_finished(
    gateway: str, provider: Provider, passed, tmp_path: Path, client, provider_name
):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    command, settings = client(gateway, MODELS[provider_name], home)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **settings}
    done = subprocess.run(
        command,
        cwd=work,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Done, it is there." in done.stdout
    assert (work / "answer.txt").read_text() == "42\n"
    assert len(provider.received()) == 3
    passed.add((client.__name__, provider_name))


def write_page(cells: set[tuple[str, str]]) -> None:
    """Replaces the table of docs/clients.md."""
    pins = json.loads((BIN.parent.parent / "package.json").read_text())["dependencies"]
    names = {"codex": "@openai/codex", "gemini": "@google/gemini-cli"}
    rows = ["| Client | " + " | ".join(MODELS) + " |", "| --- " * (len(MODELS) + 1) + "|"]
    for client, package in names.items():
        marks = ("yes" if (client, name) in cells else "no" for name in MODELS)
        rows.append(f"| `{client}` {pins[package]} | " + " | ".join(marks) + " |")
    before, rest = PAGE.read_text().split("<!-- table -->\n", 1)
    _, after = rest.split("<!-- end of table -->", 1)
    table = "\n".join(rows)
    PAGE.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->{after}")
