"""Settings are read once, and everything wrong with them is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.settings import (
    SEAL_PIN_FILE,
    SEAL_PIN_VARIABLE,
    SEAL_SECRET_FILE,
    SEAL_SECRET_VARIABLE,
    SECRET_KEY_FILE,
    read_settings,
    seal_pin,
    seal_secret,
    secret_key_text,
)
from common.errors import FaultsError, RefusalError


def settings(home: Path, text: str) -> Path:
    (home / "settings.yaml").write_text(text, encoding="utf-8")
    return home


def test_a_home_without_a_file_and_an_empty_file_get_the_defaults(tmp_path: Path) -> None:
    plain = read_settings(tmp_path)
    assert (plain.port, plain.database, plain.clock_file, plain.secure_cookies) == (8080, None, None, False)
    assert read_settings(settings(tmp_path, "# nothing yet\n")) == plain


def test_every_setting_is_taken_from_the_file(tmp_path: Path) -> None:
    text = (
        "host: 0.0.0.0\nport: 9000\npublic_url: https://fees.example/\nclock_file: clock\nwechat_url: http://localhost:1\n"
        "lanes: 2\npoll_ms: 50\nworker_metrics_port: 9001\n"
        "database: {app: host=a, worker: host=b, owner: host=c}\n"
    )
    found = read_settings(settings(tmp_path, text))
    assert (found.host, found.port, found.public_url) == ("0.0.0.0", 9000, "https://fees.example")  # noqa: S104 - read, not bound
    assert found.secure_cookies
    assert found.clock_file == tmp_path / "clock"
    assert (found.lanes, found.poll_ms, found.worker_metrics_port) == (2, 50, 9001)
    assert found.database is not None
    assert (found.database.app, found.database.worker, found.database.owner) == ("host=a", "host=b", "host=c")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = "prot: 1\nport: 70000\nlanes: no\npublic_url: fees\nhost: 5\ndatabase: {app: x}\n"
    with pytest.raises(FaultsError) as refused:
        read_settings(settings(tmp_path, text))
    places = [fault.where.rsplit(" ", 1)[-1] for fault in refused.value.faults]
    assert sorted(places) == ["database", "host", "lanes", "port", "prot", "public_url"]


@pytest.mark.parametrize("text", ["port: [", "- a\n- b\n", "\x00"])
def test_a_file_that_is_no_settings_is_refused_in_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(FaultsError, match=r"settings\.yaml"):
        read_settings(settings(tmp_path, text))


def test_a_missing_secret_key_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="gatehouse cloud init"):
        secret_key_text(tmp_path)


def test_the_secret_key_comes_from_its_file_unless_the_environment_gives_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SECRET_KEY_FILE).write_text("from the file", encoding="ascii")
    assert secret_key_text(tmp_path)[0] == "from the file"
    monkeypatch.setenv("GATEHOUSE_SECRET_KEY", "from outside")
    assert secret_key_text(tmp_path) == ("from outside", "GATEHOUSE_SECRET_KEY")


def test_a_seal_token_is_named_whole_or_not_at_all(tmp_path: Path) -> None:
    found = read_settings(settings(tmp_path, "seal_module: /usr/lib/x.so\nseal_token: company\n"))
    assert (found.seal_module, found.seal_token) == ("/usr/lib/x.so", "company")
    with pytest.raises(FaultsError, match="seal_token: is missing"):
        read_settings(settings(tmp_path, "seal_module: /usr/lib/x.so\n"))


def test_the_pin_of_the_seal_token_comes_from_its_file_unless_the_environment_gives_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SEAL_PIN_VARIABLE, raising=False)
    with pytest.raises(RefusalError, match="write the PIN"):
        seal_pin(tmp_path)
    (tmp_path / SEAL_PIN_FILE).write_text("834172\n")
    assert seal_pin(tmp_path) == "834172"
    monkeypatch.setenv(SEAL_PIN_VARIABLE, "9")
    assert seal_pin(tmp_path) == "9"


def test_every_counterparty_has_an_address_and_the_file_may_name_another(tmp_path: Path) -> None:
    names = (
        "wechat_url",
        "alipay_url",
        "unionpay_url",
        "wechat_api_url",
        "sms_url",
        "invoice_url",
        "invoice_token_url",
    )
    plain = read_settings(tmp_path)
    assert all(getattr(plain, name).startswith("https://") for name in names)
    found = read_settings(settings(tmp_path, "".join(f"{name}: http://other.test/{name}\n" for name in names)))
    assert [getattr(found, name) for name in names] == [f"http://other.test/{name}" for name in names]


def test_a_seal_service_is_named_whole_and_not_beside_a_token(tmp_path: Path) -> None:
    whole = "seal_service_url: https://seals.test/x\nseal_service_client: us\n"
    found = read_settings(settings(tmp_path, whole))
    assert (found.seal_service_url, found.seal_service_client, found.seal_module) == ("https://seals.test/x", "us", "")
    with pytest.raises(FaultsError, match="seal_service_client: is missing"):
        read_settings(settings(tmp_path, "seal_service_url: https://seals.test/x\n"))
    with pytest.raises(FaultsError, match="name one keeper of seal keys, not two"):
        read_settings(settings(tmp_path, whole + "seal_module: /x.so\nseal_token: seals\n"))


def test_the_secret_of_the_seal_service_comes_from_its_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RefusalError, match=SEAL_SECRET_VARIABLE):
        seal_secret(tmp_path)
    (tmp_path / SEAL_SECRET_FILE).write_text("shared\n", encoding="utf-8")
    assert seal_secret(tmp_path) == "shared"
    monkeypatch.setenv(SEAL_SECRET_VARIABLE, "of the environment")
    assert seal_secret(tmp_path) == "of the environment"
