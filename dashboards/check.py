"""Every query of the dashboard against a real Prometheus that scrapes a real gateway under load.

Fails when a query returns nothing. Writes what the panels would show as a picture: the queries are
the dashboard's own, the drawing is this script's, not Grafana's.

    python dashboards/check.py --sluice target/release/sluice [--host module] [--picture FILE]

Needs Envoy (ENVOY, or on PATH) and Prometheus (PROMETHEUS, or on PATH; Debian: `prometheus`).
"""

import argparse
import contextlib
import html
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

HERE = Path(__file__).parent
SECONDS = 45
CONFIG = """
listen: 127.0.0.1:{port}
admin: 127.0.0.1:{admin}
providers:
  openai: {{kind: openai, base_url: "{mock}/v1", api_key: one}}
  claude: {{kind: anthropic, base_url: "{slow}/v1", api_key: two}}
  flaky: {{kind: openai, base_url: "{flaky}/v1", api_key: three}}
models:
  gpt-4o: openai
  claude-sonnet-4-5: claude
  gpt-flaky:
    - {{provider: flaky, model: gpt-4o}}
    - {{provider: claude, model: claude-sonnet-4-5, priority: 1}}
  gpt-alone: {{provider: flaky, model: gpt-4o}}
"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sluice", default="target/release/sluice")
    options.add_argument("--host", default="wasm", choices=["wasm", "module"])
    options.add_argument("--picture", type=Path)
    given = options.parse_args()
    prometheus = os.environ.get("PROMETHEUS") or shutil.which("prometheus")
    envoy = os.environ.get("ENVOY") or shutil.which("envoy")
    if not prometheus or not envoy:
        print("dashboard: SKIPPED: needs Envoy and Prometheus (apt install prometheus)")
        return 1 if os.environ.get("CI") == "true" else 0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        server = gateway_and_prometheus(stack, Path(folder), given, envoy, prometheus)
        panels = json.loads((HERE / "sluice.json").read_text())["panels"]
        empty, drawn = ask(server, panels)
    for title, query in empty:
        print(f"dashboard: nothing for {title}: {query}")
    if given.picture and not empty:
        given.picture.write_text(picture(drawn))
    queries = sum(len(panel["targets"]) for panel in panels)
    print(f"dashboard: {queries - len(empty)} of {queries} queries return data ({given.host})")
    return 1 if empty else 0


def gateway_and_prometheus(stack, folder, given, envoy, prometheus) -> str:
    sluice = str(Path(given.sluice).resolve())
    mocks = {
        "mock": ["--latency", "20ms", "--tokens-per-second", "100"],
        "slow": ["--latency", "80ms", "--tokens-per-second", "40"],
        "flaky": ["--latency", "10ms", "--error-rate", "0.5"],
    }
    urls = {name: mock(stack, sluice, args) for name, args in mocks.items()}
    port, admin, own = (free_port() for _ in range(3))
    config = folder / "sluice.yaml"
    config.write_text(CONFIG.format(port=port, admin=admin, **urls))
    generate = [
        sluice,
        "generate",
        str(config),
        "-o",
        str(folder / "gateway"),
        "--host",
        given.host,
    ]
    subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    environment = os.environ | {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(folder / "gateway")}
    bootstrap = str(folder / "gateway" / "bootstrap.yaml")
    run(
        stack,
        [envoy, "-c", bootstrap, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"],
        env=environment,
    )
    wait_for(f"http://127.0.0.1:{admin}/ready")
    scrape = folder / "prometheus.yaml"
    scrape.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: sluice\n"
        "    metrics_path: /stats/prometheus\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{admin}']}}]\n"
    )
    run(
        stack,
        [
            prometheus,
            f"--config.file={scrape}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{own}",
            "--log.level=error",
        ],
    )
    wait_for(f"http://127.0.0.1:{own}/-/ready")
    load(f"http://127.0.0.1:{port}")
    return f"http://127.0.0.1:{own}"


def load(gateway: str) -> None:
    """Some of everything that a panel shows, for SECONDS."""
    until = time.monotonic() + SECONDS
    chat = "/v1/chat/completions"
    kinds = [
        (chat, {"model": "gpt-4o", "stream": True}),
        (chat, {"model": "gpt-4o"}),
        (chat, {"model": "claude-sonnet-4-5", "stream": True, "logit_bias": {"1": 1}}),
        (chat, {"model": "gpt-flaky", "stream": True}),
        (chat, {"model": "gpt-alone"}),
        (chat, {"model": "nobody-has-this"}),
        ("/v1/messages", {"model": "claude-sonnet-4-5", "stream": True, "max_tokens": 100}),
    ]

    def client(number: int) -> None:
        turn = number
        while time.monotonic() < until:
            path, body = kinds[turn % len(kinds)]
            turn += 1
            words = "word " * (5 + turn % 20)
            body = body | {"messages": [{"role": "user", "content": words}]}
            request = urllib.request.Request(
                gateway + path, json.dumps(body).encode(), {"content-type": "application/json"}
            )
            with (
                contextlib.suppress(urllib.error.HTTPError),
                urllib.request.urlopen(request) as answer,
            ):
                answer.read()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(6)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()


def ask(server: str, panels: list) -> tuple[list, list]:
    end = time.time()
    empty, drawn = [], []
    for panel in panels:
        lines = []
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "10s").replace("$model", ".*")
            values = {"query": query, "start": end - SECONDS + 10, "end": end, "step": 1}
            url = f"{server}/api/v1/query_range?{urllib.parse.urlencode(values)}"
            with urllib.request.urlopen(url) as answer:
                series = json.load(answer)["data"]["result"]
            series = [one for one in series if any(float(v) > 0 for _, v in one["values"])]
            if not series:
                empty.append((panel["title"], query))
            lines += [
                (legend(target["legendFormat"], one["metric"]), one["values"]) for one in series
            ]
        drawn.append((panel["title"], panel["fieldConfig"]["defaults"]["unit"], lines))
    return empty, drawn


def legend(text: str, labels: dict) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), text)


COLOURS = ["#5794f2", "#73bf69", "#f2cc0c", "#ff780a", "#e02f44", "#b877d9", "#8ab8ff", "#96d98d"]
WIDTH, HEIGHT, GAP = 400, 200, 12


def picture(panels: list) -> str:
    rows = (len(panels) + 2) // 3
    size = (3 * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{size[0]}" height="{size[1]}" fill="#111217"/>',
    ]
    for index, panel in enumerate(panels):
        x = GAP + index % 3 * (WIDTH + GAP)
        y = GAP + index // 3 * (HEIGHT + GAP)
        parts.append(f'<g transform="translate({x} {y})">{draw(*panel)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def draw(title: str, unit: str, lines: list) -> str:
    times = [float(at) for _, values in lines for at, _ in values]
    numbers = [float(v) for _, values in lines for _, v in values if v != "NaN"]
    start, span, top = min(times), max(max(times) - min(times), 1), max(numbers) * 1.1 or 1
    left, right, upper, lower = 52, WIDTH - 10, 30, HEIGHT - 44
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="3" fill="#181b1f"/>',
        f'<text x="10" y="18" fill="#d8d9da" font-weight="bold">{html.escape(title)}</text>',
    ]
    for share in (0, 0.5, 1):
        y = lower - share * (lower - upper)
        parts.append(f'<path d="M{left} {y:.0f}H{right}" stroke="#2c3235"/>')
        shown = f"{top * share:.3g}" + {"ms": " ms", "reqps": "/s"}.get(unit, "")
        parts.append(
            f'<text x="{left - 4}" y="{y + 4:.0f}" fill="#8e8e8e" text-anchor="end">{shown}</text>'
        )
    at = 10
    for index, (name, values) in enumerate(sorted(lines)):
        colour = COLOURS[index % len(COLOURS)]
        points = " ".join(
            f"{left + (float(t) - start) / span * (right - left):.1f},"
            f"{lower - float(v) / top * (lower - upper):.1f}"
            for t, v in values
            if v != "NaN"
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        row, column = divmod(index, 3)
        if row < 2:
            x, y = 10 + column * 130, HEIGHT - 22 + row * 14
            parts.append(f'<text x="{x}" y="{y}" fill="{colour}">{html.escape(name[:22])}</text>')
        at += 1
    return "".join(parts)


def mock(stack, sluice: str, args: list) -> str:
    process = run(stack, [sluice, "mock", *args], stdout=subprocess.PIPE, text=True)
    return re.search(r"http://[\d.:]+", process.stdout.readline())[0]


def run(stack, command: list, **options):
    process = subprocess.Popen(command, **options)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def wait_for(url: str) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.1)
    sys.exit(f"dashboard: {url} does not answer")


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
