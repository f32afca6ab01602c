"""Every query of the dashboard against a real Prometheus that scrapes a real gateway under load.

Fails when a query returns nothing. With --picture it draws what the panels show: the queries are
the dashboard's own, the drawing is picture.py's, not Grafana's.

    python dashboards/check.py --sluice target/release/sluice [--host module] [--picture FILE]

Needs Envoy (ENVOY, .venv or PATH) and Prometheus (PROMETHEUS, .tools or PATH).
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from picture import Panel, draw

HERE = Path(__file__).parent
ROOT = HERE.parent
CONFIG = """
listen: 127.0.0.1:0
providers:
  openai: {{kind: openai, base_url: "{mock}/v1"}}
  claude: {{kind: anthropic, base_url: "{slow}/v1"}}
  flaky: {{kind: openai, base_url: "{flaky}/v1"}}
  partner:
    kind: openai
    base_url: "{mock}/v1"
    oidc: {{token_url: "{mock}/token", client_id: me, client_secret: "${{SECRET}}"}}
models:
  gpt-4o: openai
  claude-sonnet-5: claude
  gpt-flaky:
    - {{provider: flaky, model: gpt-4o}}
    - {{provider: claude, model: claude-sonnet-5, priority: 1}}
  gpt-alone: {{provider: flaky, model: gpt-4o}}
  gpt-partner: {{provider: partner, model: gpt-4o}}
  gpt-trial: {{provider: openai, model: gpt-4o}}
limits:
  trial: {{models: gpt-trial, count: requests, max: 3, per: minute}}
  tokens: {{by: header:x-team, count: total_tokens, max: 100M, per: day}}
"""
# Their speeds differ, so that the panels have something to show.
MOCKS = {
    "mock": ["--latency", "20ms", "--tokens-per-second", "100"],
    "slow": ["--latency", "80ms", "--tokens-per-second", "40"],
    "flaky": ["--latency", "10ms", "--error-rate", "0.5"],
}
CHAT = "/v1/chat/completions"
# Some of everything that a panel shows.
REQUESTS = [
    (CHAT, {"model": "gpt-4o", "stream": True}),
    (CHAT, {"model": "gpt-4o"}),
    (CHAT, {"model": "claude-sonnet-5", "stream": True, "logit_bias": {"1": 1}}),
    (CHAT, {"model": "gpt-flaky", "stream": True}),
    (CHAT, {"model": "gpt-alone"}),
    (CHAT, {"model": "gpt-partner"}),
    (CHAT, {"model": "gpt-trial"}),
    (CHAT, {"model": "nobody-has-this"}),
    ("/v1/messages", {"model": "claude-sonnet-5", "stream": True, "max_tokens": 100}),
]
CLIENTS = 6
# How far a rate looks back; Grafana takes four scrapes at least.
RATE_S = 8


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sluice", default=ROOT / "target/release/sluice", type=Path)
    options.add_argument("--host", default="wasm", choices=["wasm", "module"])
    options.add_argument("--seconds", default=20, type=int, help="how long there is traffic")
    options.add_argument("--picture", type=Path)
    given = options.parse_args()
    prometheus = program("PROMETHEUS", ROOT / ".tools/bin/prometheus", "prometheus")
    envoy = program("ENVOY", ROOT / ".venv/bin/envoy", "envoy")
    if not prometheus or not envoy:
        print("dashboard: SKIPPED: needs Envoy and Prometheus: scripts/setup.sh envoy dashboard")
        return 1 if os.environ.get("CI") == "true" else 0
    panels = json.loads((HERE / "sluice.json").read_text())["panels"]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        gateway, admin = start_gateway(stack, Path(folder), given, envoy)
        server = start_prometheus(stack, Path(folder), prometheus, admin)
        begin = time.time()
        load(gateway, given.seconds)
        answers = [ask(server, panel, begin, time.time()) for panel in panels]
    return report(given, panels, answers)


def report(given, panels: list, answers: list) -> int:
    queries = empty = 0
    for panel, lines_of in zip(panels, answers, strict=True):
        for target, lines in zip(panel["targets"], lines_of, strict=True):
            queries += 1
            if not lines:
                empty += 1
                print(f"dashboard: nothing for {panel['title']}: {target['expr']}")
    print(f"dashboard: {queries - empty} of {queries} queries return data ({given.host})")
    if given.picture and not empty:
        drawn = [as_drawn(panel, lines) for panel, lines in zip(panels, answers, strict=True)]
        given.picture.write_text(draw(drawn))
    return 1 if empty else 0


def as_drawn(panel: dict, lines_of: list) -> Panel:
    lines = [line for lines in lines_of for line in lines]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    return Panel(panel["title"], unit, panel["gridPos"], lines)


def start_gateway(stack, folder: Path, given, envoy: str) -> tuple[str, str]:
    urls = {}
    for name, speed in MOCKS.items():
        command = [given.sluice, "mock", *speed]
        urls[name] = started(stack, command, r"(http://[\d.:]+)")[1]
    (folder / "sluice.yaml").write_text(CONFIG.format(**urls))
    command = [given.sluice, "run", folder / "sluice.yaml", "--host", given.host, "--envoy", envoy]
    built = os.environ.get({"wasm": "SLUICE_WASM", "module": "SLUICE_MODULE"}[given.host])
    if built and Path(built).is_file():
        command += ["--filter", built]
    ready = r"ready on (http://[^\s,]+).*admin on http://([^\s,]+)"
    found = started(stack, command, ready, {"SECRET": "a-secret"})
    return found[1], found[2]


def start_prometheus(stack, folder: Path, prometheus: str, admin: str) -> str:
    scrape = folder / "prometheus.yaml"
    scrape.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: sluice\n"
        "    metrics_path: /stats/prometheus\n"
        f"    static_configs: [{{targets: ['{admin}']}}]\n"
    )
    command = [prometheus, f"--config.file={scrape}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    # The port that it takes stands in its log.
    command += ["--web.listen-address=127.0.0.1:0"]
    listens = r'msg="Listening on".* address=([\d.:]+)'
    url = f"http://{started(stack, command, listens, stderr=subprocess.STDOUT)[1]}"
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready"):
            return url
        time.sleep(0.1)
    sys.exit("dashboard: Prometheus does not start")


def load(gateway: str, seconds: int) -> None:
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        turn = number
        while time.monotonic() < until:
            path, body = REQUESTS[turn % len(REQUESTS)]
            turn += 1
            # More and less of it, so that the lines are not all flat.
            words = "word " * (5 + turn % 20)
            post(gateway + path, body | {"messages": [{"role": "user", "content": words}]}, number)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()


def post(url: str, body: dict, number: int) -> None:
    headers = {"content-type": "application/json", "x-team": f"team-{number % 2}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    # A provider that fails and a limit that is used up are part of the picture.
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:
        answer.read()


def ask(server: str, panel: dict, begin: float, end: float) -> list:
    """For each query of the panel its lines: legend and points."""
    answers = []
    for target in panel["targets"]:
        query = target["expr"].replace("$__rate_interval", f"{RATE_S}s").replace("$model", ".*")
        step = max(1, round((end - begin) / 60))
        values = {"query": query, "start": begin + RATE_S / 2, "end": end, "step": step}
        url = f"{server}/api/v1/query_range?{urllib.parse.urlencode(values)}"
        with urllib.request.urlopen(url) as answer:
            series = json.load(answer)["data"]["result"]
        # `or vector(0)`: that there is none is an answer too.
        may_be_zero = "vector(0)" in query
        lines = [(legend(target["legendFormat"], one["metric"]), points(one)) for one in series]
        answers.append([line for line in lines if may_be_zero or any(y > 0 for _, y in line[1])])
    return answers


def points(series: dict) -> list[tuple[float, float]]:
    """Without the times at which there was nothing to divide by."""
    return [(float(time), float(value)) for time, value in series["values"] if value != "NaN"]


def legend(text: str, labels: dict) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), text).strip()


def program(variable: str, *places: Path | str) -> str | None:
    found = (shutil.which(place) for place in (os.environ.get(variable), *places) if place)
    return next(filter(None, found), None)


def started(
    stack, command: list, ready: str, environment: dict | None = None, **options
) -> re.Match:
    """Starts a program and waits for the line that says where it listens."""
    process = run(stack, command, environment, stdout=subprocess.PIPE, text=True, **options)
    for line in process.stdout:
        if found := re.search(ready, line):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return found
    sys.exit(f"dashboard: {command[1]} has ended")


def run(stack, command: list, environment: dict | None = None, **options) -> subprocess.Popen:
    words = [str(word) for word in command]
    process = subprocess.Popen(words, env=os.environ | (environment or {}), **options)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


if __name__ == "__main__":
    sys.exit(main())
