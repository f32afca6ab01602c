"""The gateway's signatures are those of botocore's own signer, over generated requests."""

import datetime
import json
import os
import random
import subprocess
from collections.abc import Callable
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import ROOT

CASES = 500

MODELS = [
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-lite-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    "arn:aws-us-gov:bedrock:us-gov-west-1:1:provisioned-model/a b+c",
    "ümlaut~_.-!*'()@&=$,;%2F",
]
METHODS = ["converse", "converse-stream", "invoke", "invoke-with-response-stream"]
PREFIXES = ["", "", "/proxy", "/a b/ü", "//twice", "/dot/./x/../y"]
QUERIES = ["", "", "?b=2&a=1", "?a=2&a=1&A=0", "?flag", "?x=%2F%20y&x="]
HOSTS = [
    "bedrock-runtime.us-east-1.amazonaws.com",
    "127.0.0.1:8443",
    "vpce-1-a.bedrock-runtime.eu-west-3.vpce.amazonaws.com",
]
VALUES = ["v", "  around  ", "a   b\tc", '"quoted  text"', "a,b", ""]


def make_case(dice: random.Random) -> dict:
    """A request as the Rust signer reads it. Header names that neither side signs are left out."""
    path = quote(dice.choice(PREFIXES), safe="/")
    path += f"/model/{quote(dice.choice(MODELS), safe='')}/{dice.choice(METHODS)}"
    names = dice.sample(["x-amz-meta", "x-amz-target", "x-amz-a-b"], dice.randrange(4))
    headers = [[name, dice.choice(VALUES)] for name in names]
    if headers and dice.random() < 0.3:
        headers.append([headers[0][0], dice.choice(VALUES)])
    return {
        "access_key_id": f"AKIA{dice.randrange(10**12)}",
        "secret_access_key": "".join(dice.choices("abcXYZ019/+=", k=40)),
        "session_token": dice.choice([None, "".join(dice.choices("abcXYZ019/+=", k=300))]),
        "region": dice.choice(["us-east-1", "eu-west-3", "us-gov-west-1"]),
        "now": dice.randrange(1_000_000_000, 4_000_000_000),
        "headers": [
            [":method", "POST"],
            [":path", path + dice.choice(QUERIES)],
            [":authority", dice.choice(HOSTS)],
            ["content-type", "application/json"],
            *headers,
        ],
        "body": "".join(dice.choices('{}[]":, \n\\aü日🦀', k=dice.randrange(200))),
    }


def botocores(case: dict, set_clock: Callable[[int], None]) -> str:
    """The header `authorization` that botocore makes."""
    set_clock(case["now"])
    own = {name: value for name, value in case["headers"] if name.startswith(":")}
    url = f"https://{own[':authority']}{own[':path']}"
    request = AWSRequest(method=own[":method"], url=url, data=case["body"].encode())
    for name, value in case["headers"]:
        if not name.startswith(":"):
            request.headers.add_header(name, value)
    keys = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
    botocore.auth.SigV4Auth(keys, "bedrock", case["region"]).add_auth(request)
    return request.headers["authorization"]


def gateways(cases: list[dict]) -> list[str]:
    """The same of the gateway's signer."""
    command = ["cargo", "run", "--quiet", "-p", "sluice-filter", "--example", "sigv4"]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(
        command, input=lines, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_signatures_are_botocores(monkeypatch, capsys):
    def set_clock(now: int) -> None:
        moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)

    dice = random.Random("signatures")
    cases = [make_case(dice) for _ in range(CASES)]
    made = gateways(cases)
    assert len(made) == CASES
    for case, own in zip(cases, made, strict=True):
        assert own == botocores(case, set_clock), json.dumps(case)
    with capsys.disabled():
        print(f" {CASES} signatures equal to botocore's", end="")
