"""Settings of the cloud, read once by the composition roots from `HOME/settings.yaml` and the environment.

    host: 127.0.0.1                      where to listen
    port: 8080
    public_url: http://127.0.0.1:8080    how browsers reach it; https makes cookies secure
    clock_file: ./clock                  a paced business clock (demo); left out means real time
    wechat_url: https://api.mch.weixin.qq.com
    alipay_url: https://openapi.alipay.com
    unionpay_url: https://gateway.95516.com
    wechat_api_url: https://api.weixin.qq.com               template messages
    sms_url: https://dysmsapi.aliyuncs.com                  text messages
    invoice_url: https://sdk.nuonuo.com/open/v1/services    the platform of tax invoices,
    invoice_token_url: https://open.nuonuo.com/accessToken  and where it gives out access tokens
    lanes: 4                             jobs side by side in a worker
    poll_ms: 250                         how often a worker looks for work
    worker_metrics_port: 8081            where a worker answers /metrics; left out means nowhere
    seal_module: /usr/lib/x.so           the PKCS#11 library of a seal token, and the token's label;
    seal_token: gatehouse                left out means that seal keys are kept in the database, encrypted
    seal_service_url: https://...        instead of a token: a seal service, and who we are there
    seal_service_client: property-77
    database:                            left out means the embedded server in HOME/database
      app: "host=... user=gatehouse_app dbname=..."
      worker: "host=... user=gatehouse_worker dbname=..."
      owner: "host=... user=gatehouse_owner dbname=..."

Secrets come from the environment or a file of their own, never from settings.yaml, and none has a default:
GATEHOUSE_SECRET_KEY or HOME/secret.key; GATEHOUSE_SEAL_PIN or HOME/seal.pin when there is a seal token;
GATEHOUSE_SEAL_SECRET or HOME/seal.secret when there is a seal service; passwords of the database through
libpq's own PGPASSFILE.
All faults are listed at once, each with where it is and how to mend it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from common.errors import Fault, FaultsError, RefusalError

SETTINGS_FILE = "settings.yaml"
SECRET_KEY_FILE = "secret.key"  # noqa: S105 - a file's name
SECRET_KEY_VARIABLE = "GATEHOUSE_SECRET_KEY"  # noqa: S105 - a variable's name
SEAL_PIN_FILE = "seal.pin"
SEAL_PIN_VARIABLE = "GATEHOUSE_SEAL_PIN"
SEAL_SECRET_FILE = "seal.secret"  # noqa: S105 - a file's name
SEAL_SECRET_VARIABLE = "GATEHOUSE_SEAL_SECRET"  # noqa: S105 - a variable's name
_PORT_MAX = 65_535
_KNOWN = frozenset(
    {
        "host",
        "port",
        "public_url",
        "clock_file",
        "wechat_url",
        "alipay_url",
        "unionpay_url",
        "wechat_api_url",
        "sms_url",
        "invoice_url",
        "invoice_token_url",
        "lanes",
        "poll_ms",
        "worker_metrics_port",
        "seal_module",
        "seal_token",
        "seal_service_url",
        "seal_service_client",
        "database",
    }
)
_ROLES = ("app", "worker", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """The connection strings of a PostgreSQL that somebody else runs, one for each role."""

    app: str
    worker: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a cloud process is told from outside, apart from its secrets."""

    home: Path
    host: str
    port: int
    public_url: str
    clock_file: Path | None
    wechat_url: str
    alipay_url: str
    unionpay_url: str
    wechat_api_url: str
    sms_url: str
    invoice_url: str
    invoice_token_url: str
    lanes: int
    poll_ms: int
    worker_metrics_port: int | None
    seal_module: str
    seal_token: str
    seal_service_url: str
    seal_service_client: str
    database: DatabaseSettings | None

    @property
    def secure_cookies(self) -> bool:
        """Return whether browsers reach us over https."""
        return urlsplit(self.public_url).scheme == "https"


def read_settings(home: Path) -> Settings:
    """Read and check the settings of a home folder; a folder without a file gets the defaults.

    Raises:
        FaultsError: something is wrong with them; everything that is, is listed.
    """
    path = home / SETTINGS_FILE
    found = _load(path)
    reader = _Reader(found, str(path))
    host = reader.text("host", "127.0.0.1")
    port = reader.count("port", 8080, at_most=_PORT_MAX)
    clock_file = reader.text("clock_file", "")
    settings = Settings(
        home=home,
        host=host,
        port=port,
        public_url=reader.url("public_url", f"http://{host}:{port}"),
        clock_file=home / clock_file if clock_file else None,
        wechat_url=reader.url("wechat_url", "https://api.mch.weixin.qq.com"),
        alipay_url=reader.url("alipay_url", "https://openapi.alipay.com"),
        unionpay_url=reader.url("unionpay_url", "https://gateway.95516.com"),
        wechat_api_url=reader.url("wechat_api_url", "https://api.weixin.qq.com"),
        sms_url=reader.url("sms_url", "https://dysmsapi.aliyuncs.com"),
        invoice_url=reader.url("invoice_url", "https://sdk.nuonuo.com/open/v1/services"),
        invoice_token_url=reader.url("invoice_token_url", "https://open.nuonuo.com/accessToken"),
        lanes=reader.count("lanes", 4, at_most=64),
        poll_ms=reader.count("poll_ms", 250, at_most=60_000),
        worker_metrics_port=reader.count("worker_metrics_port", 0, at_most=_PORT_MAX) or None,
        seal_module=reader.text("seal_module", ""),
        seal_token=reader.text("seal_token", ""),
        seal_service_url=reader.url("seal_service_url", "") if "seal_service_url" in found else "",
        seal_service_client=reader.text("seal_service_client", ""),
        database=reader.database(),
    )
    reader.both(settings.seal_module, settings.seal_token, "seal_module", "seal_token")
    reader.both(settings.seal_service_url, settings.seal_service_client, "seal_service_url", "seal_service_client")
    reader.one(settings.seal_module, settings.seal_service_url, "seal_module", "seal_service_url")
    reader.finish()
    return settings


def secret_key_text(home: Path) -> tuple[str, str]:
    """Return the text of the secret key and where it was found.

    Raises:
        RefusalError: there is none.
    """
    text = os.environ.get(SECRET_KEY_VARIABLE)
    if text is not None:
        return text, SECRET_KEY_VARIABLE
    path = home / SECRET_KEY_FILE
    try:
        return path.read_text(encoding="ascii"), str(path)
    except FileNotFoundError as error:
        raise RefusalError(f"{path} is missing; run `gatehouse cloud init --home {home}` once") from error


def seal_pin(home: Path) -> str:
    """Return the PIN of the seal token.

    Raises:
        RefusalError: there is none.
    """
    return _seal_secret(home, SEAL_PIN_FILE, SEAL_PIN_VARIABLE, "the PIN of the seal token")


def seal_secret(home: Path) -> str:
    """Return the secret that we share with the seal service.

    Raises:
        RefusalError: there is none.
    """
    return _seal_secret(home, SEAL_SECRET_FILE, SEAL_SECRET_VARIABLE, "the secret that the seal service gave")


def _seal_secret(home: Path, file: str, variable: str, what: str) -> str:
    text = os.environ.get(variable)
    if text is not None:
        return text.strip()
    path = home / file
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise RefusalError(f"{path} is missing; write {what} into it, or set {variable}") from error


def _load(path: Path) -> Mapping[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fault = Fault(where=str(path), what=f"is not YAML: {error}", remedy="mend the text")
        raise FaultsError("settings", [fault]) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        fault = Fault(
            where=str(path), what="is not a list of names and values", remedy="write lines such as port: 8080"
        )
        raise FaultsError("settings", [fault])
    return loaded


class _Reader:
    """Takes values out of the loaded text and gathers what is wrong with them."""

    def __init__(self, found: Mapping[str, Any], where: str) -> None:
        self._found = found
        self._where = where
        self._faults: list[Fault] = []
        for name in sorted(found.keys() - _KNOWN):
            self._fault(str(name), "is not a setting", f"known are {', '.join(sorted(_KNOWN))}")

    def text(self, name: str, default: str) -> str:
        value = self._found.get(name, default)
        if isinstance(value, str):
            return value
        self._fault(name, "is not text", "put it in quotes")
        return default

    def count(self, name: str, default: int, *, at_most: int) -> int:
        if name not in self._found:
            return default
        value = self._found[name]
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= at_most:
            return value
        self._fault(name, f"is not a whole number from 1 to {at_most}", "write one, such as 8080 or 4")
        return default

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            self._fault(name, "is not a web address", f"write one, such as {default}")
        return value

    def database(self) -> DatabaseSettings | None:
        value = self._found.get("database")
        if value is None:
            return None
        if isinstance(value, dict) and set(value) == set(_ROLES) and all(isinstance(v, str) for v in value.values()):
            return DatabaseSettings(**value)
        self._fault("database", "does not name the three roles", "give app, worker and owner a connection string each")
        return None

    def both(self, first: str, second: str, first_name: str, second_name: str) -> None:
        if bool(first) != bool(second):
            missing = second_name if first else first_name
            self._fault(missing, "is missing", f"give {first_name} and {second_name}, or neither")

    def one(self, first: str, second: str, first_name: str, second_name: str) -> None:
        if first and second:
            self._fault(second_name, f"stands beside {first_name}", "name one keeper of seal keys, not two")

    def finish(self) -> None:
        if self._faults:
            raise FaultsError("settings", self._faults)

    def _fault(self, name: str, what: str, remedy: str) -> None:
        self._faults.append(Fault(where=f"{self._where}: {name}", what=what, remedy=remedy))
