"""Addresses of playbooks and runs, and of what joins them with cases (rulings 23)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from cases.api.access import AccessApi
from cases.api.urls import access, call, verbs
from playbooks.api.approvals import Approvals
from playbooks.api.graphs import Backtests
from playbooks.api.material import DetectionModels, NeverTouchApi, Scripts
from playbooks.api.playbooks import Playbooks
from playbooks.api.responses import ResponseTasks
from playbooks.api.runs import Runs

Patterns = list[URLPattern | URLResolver]


class PlaybookAccess(AccessApi):
    """Who sees playbooks, and grants on them."""

    reads = "view_cases"
    kind_name = "playbook"


V1: Patterns = [
    *access("playbooks/<str:id>/", PlaybookAccess, "playbook"),
    call("playbooks/", Playbooks, "playbooks", get="list", post="create"),
    call("playbooks/reload/", Playbooks, "playbooks-reload", post="reload"),
    call("playbooks/<str:id>/", Playbooks, "playbook", get="retrieve", patch="partial_update", delete="destroy"),
    *verbs(
        "playbooks/<str:id>/",
        Playbooks,
        "playbook",
        *("enable", "disable", "publish", "restore", "duplicate", "rehearse", "backtest"),
    ),
    call("playbooks/<str:id>/export/", Playbooks, "playbook-export", get="export"),
    call("backtests/<str:id>/", Backtests, "backtest", get="retrieve"),
    *verbs("backtests/<str:id>/", Backtests, "backtest", "cancel"),
    call("playbooks/<str:id>/versions/", Playbooks, "playbook-versions", get="versions"),
    call("runs/", Runs, "runs", get="list"),
    call("runs/<str:id>/", Runs, "run", get="retrieve"),
    *verbs("runs/<str:id>/", Runs, "run", "cancel", "retry"),
    call("runs/<str:id>/tasks/<str:task>/decide/", Runs, "run-decide", post="decide"),
    call("alerts/<str:id>/run/", Runs, "alert-run", post="on_alert"),
    call("incidents/<str:id>/run/", Runs, "incident-run", post="on_incident"),
    call("approvals/", Approvals, "approvals", get="list"),
    call("approvals/<str:id>/", Approvals, "approval", get="retrieve"),
    *verbs("approvals/<str:id>/", Approvals, "approval", "approve", "reject"),
    call("response-tasks/", ResponseTasks, "response-tasks", get="list", post="create"),
    call("response-tasks/<str:id>/", ResponseTasks, "response-task", get="retrieve"),
    *verbs("response-tasks/<str:id>/", ResponseTasks, "response-task", "resend", "inverse", "cancel", "decide"),
    call("scripts/", Scripts, "scripts", get="list", post="create"),
    call("scripts/<str:id>/", Scripts, "script", get="retrieve", delete="destroy"),
    call("never-touch/", NeverTouchApi, "never-touch", get="list", post="create"),
    call("never-touch/<str:id>/", NeverTouchApi, "never-touch-rule", get="retrieve", delete="destroy"),
    call("detection-models/", DetectionModels, "detection-models", get="list", post="create"),
    call(
        "detection-models/<str:id>/",
        DetectionModels,
        "detection-model",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
]

urlpatterns: Patterns = [path("api/v1/", include(V1))]
