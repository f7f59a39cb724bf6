"""The flow of the house, readable from top to bottom: who listens to which event, who does which job, what recurs.

An event becomes jobs in the transaction that published it; a job's effect commits with its completion. Each domain
gives its lines from its `tasks` module; nothing else joins one domain to a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cloud.kit.events import Routes
from cloud.kit.runner import Handler
from cloud.kit.schedules import Schedule
from cloud.services import Services

# event -> the jobs it becomes, in the order of the pipeline
ROUTES: Routes = {}

# work that recurs on civil days
SCHEDULES: Sequence[Schedule] = ()


def handlers(services: Services) -> Mapping[str, Handler]:
    """Return who does which kind of job."""
    del services
    return {}
