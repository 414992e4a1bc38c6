"""Addresses of playbooks, runs, and what they put on the pages of alerts and incidents."""

from __future__ import annotations

from django.urls import URLPattern, path

from playbooks.views import (
    many_runs,
    models,
    never_touch,
    playbook_change,
    playbook_page,
    playbooks,
    run_change,
    run_page,
    runs,
    scripts,
    subject_runs,
)

urlpatterns: list[URLPattern] = [
    path("playbooks/", playbooks.playbook_list, name="playbook-list"),
    path("playbooks/reload/", playbook_change.playbook_reload, name="playbook-reload"),
    path("playbooks/<int:pk>/", playbook_page.playbook_detail, name="playbook-detail"),
    path("playbooks/<int:pk>/enable/", playbook_change.playbook_enable, name="playbook-enable"),
    path("playbooks/<int:pk>/disable/", playbook_change.playbook_disable, name="playbook-disable"),
    path("playbooks/<int:pk>/run/", playbook_change.playbook_run, name="playbook-run"),
    path("runs/", runs.run_list, name="run-list"),
    path("runs/poll/", runs.run_poll, name="run-poll"),
    path("runs/on-alerts/", many_runs.alerts_run, name="alerts-run"),
    path("runs/<int:pk>/", run_page.run_detail, name="run-detail"),
    path("runs/<int:pk>/live/", run_page.run_live, name="run-live"),
    path("runs/<int:pk>/result/", run_page.run_result, name="run-result"),
    path("runs/<int:pk>/tasks/<int:step>/", run_page.run_step, name="run-step"),
    path("runs/<int:pk>/tasks/<int:step>/decide/", run_change.run_decide, name="run-decide"),
    path("runs/<int:pk>/cancel/", run_change.run_cancel, name="run-cancel"),
    path("runs/<int:pk>/retry/", run_change.run_retry, name="run-retry"),
    path("alerts/<str:number>/runs/", subject_runs.alert_runs, name="alert-runs"),
    path("alerts/<str:number>/run/", subject_runs.alert_run, name="alert-run"),
    path("incidents/<str:number>/runs/", subject_runs.incident_runs, name="incident-runs"),
    path("incidents/<str:number>/run/", subject_runs.incident_run, name="incident-run"),
    path("settings/scripts/", scripts.script_list, name="script-list"),
    path("settings/scripts/<int:pk>/", scripts.script_detail, name="script-detail"),
    path("settings/scripts/<int:pk>/text/", scripts.script_text, name="script-text"),
    path("settings/scripts/<int:pk>/remove/", scripts.script_remove, name="script-remove"),
    path("settings/never-touch/", never_touch.never_touch_list, name="never-touch-list"),
    path("settings/never-touch/<int:pk>/remove/", never_touch.never_touch_remove, name="never-touch-remove"),
    path("settings/models/", models.model_list, name="model-list"),
    path("settings/models/<int:pk>/severity/", models.model_severity, name="model-severity"),
    path("settings/models/<int:pk>/remove/", models.model_remove, name="model-remove"),
]
