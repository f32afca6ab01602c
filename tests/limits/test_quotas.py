"""Quotas of providers: who has used up its own is passed over, through a real Envoy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Setup, start

CONFIG = (Path(__file__).parent / "quotas.yaml").read_text()


@pytest.fixture(
    scope="module", params=["service-wasm", "service-module", "redis-wasm", "embedded-module"]
)
def setup(request, tmp_path_factory: pytest.TempPathFactory, provider) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("quotas")
    yield from start(request.param, CONFIG, folder, provider)


def came(setup: Setup, *models: str) -> list[int]:
    return [setup.provider.requests[model] for model in models]


def test_who_has_used_up_its_quota_is_passed_over(setup: Setup) -> None:
    before = came(setup, "two-a", "two-b")
    answers = [setup.ask("two", stream=stream) for stream in (False, True, False, True)]
    assert [answer.status for answer in answers] == [200] * 4
    after = came(setup, "two-a", "two-b")
    # 18 tokens each: the first two fill the quota of 30.
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 2]
    if setup.redis:
        assert setup.redis.used("two") == {"all": 36}
        assert setup.redis.used("seen") == {"all": 36}, "and what else counts goes on"


def test_clients_are_not_told_of_quotas(setup: Setup) -> None:
    answer = setup.ask("users", x_user="told")
    assert answer.status == 200
    assert not [name for name in answer.headers if "ratelimit" in name or "sluice" in name]


def test_where_nobody_is_left_it_is_a_429_in_the_form_of_the_clients_api(setup: Setup) -> None:
    statuses = [setup.ask("both").status for _ in range(5)]
    assert statuses == [200] * 4 + [429]
    chat = setup.ask("both")
    assert chat.json()["error"]["type"] == "rate_limit_error"
    assert '"both" of 30 tokens' in chat.json()["error"]["message"]
    assert int(chat.headers["retry-after"]) > 0
    assert chat.headers["x-should-retry"] == "false"
    messages = setup.ask("both", form="messages")
    assert messages.status == 429
    assert messages.json()["error"]["type"] == "rate_limit_error"
    if setup.redis:
        assert setup.redis.used("both") == {"first": 36, "claude": 36}


def test_a_model_with_one_provider_has_a_quota_too(setup: Setup) -> None:
    assert [setup.ask("m-one").status for _ in range(2)] == [200, 429]
    refused = setup.ask("m-one", form="messages")
    assert refused.json()["type"] == "error"
    assert "limits" not in refused.json()["error"]["message"]
    assert setup.ask("m-two").status == 200, "each of its models has its own"
    if setup.redis:
        used = setup.redis.used("models")
        assert used["first|m-one"] == 18


def test_requests_are_counted_as_they_are_tried(setup: Setup) -> None:
    before = came(setup, "req-a", "req-b")
    assert [setup.ask("requests").status for _ in range(3)] == [200] * 3
    after = came(setup, "req-a", "req-b")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]


def test_each_user_has_a_quota_of_its_own(setup: Setup) -> None:
    before = came(setup, "users-a", "users-b")
    for user in ("ann", "ann", "bob"):
        assert setup.ask("users", x_user=user).status == 200
    after = came(setup, "users-a", "users-b")
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1]


def test_a_failure_behind_the_gate_is_told_as_everywhere(setup: Setup) -> None:
    answer = setup.ask("m-three", "503")
    assert answer.status == 503
    assert answer.json()["error"]["message"] == "overloaded", "the provider's own words"


def test_a_provider_that_is_not_there_is_told_as_without_a_quota(setup: Setup) -> None:
    answers = [setup.ask(model) for model in ("gone", "gone-without-quota")]
    assert [answer.status for answer in answers] == [502, 502]
    assert answers[0].json() == answers[1].json()


def test_the_provider_sees_nothing_of_the_gate(setup: Setup) -> None:
    def names(model: str) -> list[str]:
        setup.ask(model)
        lines = setup.provider.heads[model].split("\r\n")[1:]
        return sorted(line.split(":")[0] for line in lines)

    assert names("gated") == names("ungated")


def test_envoy_has_never_met_a_charge_that_is_no_number(setup: Setup) -> None:
    assert setup.gateway.complaints() == ""
