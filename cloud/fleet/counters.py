"""What is counted of the requests that gateways send."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class GatewayMetrics:
    """What the gateway endpoints count, by endpoint and by reason of refusal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter(
            "gatehouse_gateway_requests", "Requests of gateways by outcome", ["endpoint", "outcome"], registry=registry
        )
        self.refused = Counter(
            "gatehouse_gateway_refusals", "Refused requests of gateways", ["endpoint", "reason"], registry=registry
        )
