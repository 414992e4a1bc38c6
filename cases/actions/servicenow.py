"""What people, programs and playbooks may do at the ServiceNow sync: the one door for pages, API and steps.

Setting up instances and profiles is in ``servicenow_instances`` and ``servicenow_profiles``."""

from cases.actions.servicenow_flow import pause, resume, sync_incident, sync_instance, try_now
from cases.actions.servicenow_links import (
    create_ticket,
    link_ticket,
    recreate,
    relink,
    ticket_of,
    unlink,
    usable_profiles,
)
from cases.actions.servicenow_work import decide, failures_of, retry, retry_all, skip, skip_all

__all__ = [
    "create_ticket", "decide", "failures_of", "link_ticket", "pause", "recreate", "relink", "resume", "retry",
    "retry_all", "skip", "skip_all", "sync_incident", "sync_instance", "ticket_of", "try_now", "unlink",
    "usable_profiles",
]  # fmt: skip
