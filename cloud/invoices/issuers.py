"""The clients of sellers' accounts, built from opened secrets and kept while an account stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from cloud.invoices.providers.nuonuo import Nuonuo, NuonuoAccount, NuonuoUrls
from cloud.invoices.providers.values import Issuer
from cloud.invoices.seller_accounts import InvoiceAccount, secret_of
from cloud.kit.secretbox import SecretBox


class Issuers:
    """Builds and keeps clients."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: NuonuoUrls,
        box: SecretBox,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self._urls = urls
        self.box = box
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce
        self._clients: dict[tuple[InvoiceAccount, str], Issuer] = {}

    def of(self, account: InvoiceAccount, seller: str) -> Issuer:
        """Return the client of an account of a seller of some name."""
        found = self._clients.get((account, seller))
        if found is None:
            found = Nuonuo(
                self._http,
                self._urls,
                NuonuoAccount(
                    app_key=account.app_key,
                    secret=secret_of(self.box, account),
                    tax_number=account.tax_number,
                    seller=seller,
                    drawer=account.drawer,
                ),
                self._machine_now_s,
                self._new_nonce,
            )
            self._clients[(account, seller)] = found
        return found
