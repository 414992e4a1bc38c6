"""Addresses of drawing, trying and sharing response playbooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from playbooks.views import (
    backtests,
    builder,
    builder_change,
    graph_change,
    graph_files,
    graph_page,
    rehearse,
    run_files,
)

urlpatterns: list[URLPattern] = [
    path("runs/export/", run_files.runs_export, name="run-export"),
    path("runs/<int:pk>/tasks.csv", run_files.run_tasks_csv, name="run-tasks-csv"),
    path("runs/<int:pk>/report/", run_files.run_report, name="run-report"),
    path("playbooks/new/", graph_change.playbook_create, name="playbook-create"),
    path("playbooks/templates/", graph_files.playbook_templates, name="playbook-templates"),
    path("playbooks/import/", graph_files.playbook_import, name="playbook-import"),
    path("playbooks/<int:pk>/edit/", builder.playbook_edit, name="playbook-edit"),
    path("playbooks/<int:pk>/edit/part/", builder_change.playbook_edit_part, name="playbook-edit-part"),
    path("playbooks/<int:pk>/edit/add/", builder_change.playbook_edit_add, name="playbook-edit-add"),
    path("playbooks/<int:pk>/edit/node/", builder_change.playbook_edit_node, name="playbook-edit-node"),
    path("playbooks/<int:pk>/publish/", builder_change.playbook_publish, name="playbook-publish"),
    path("playbooks/<int:pk>/duplicate/", graph_change.playbook_duplicate, name="playbook-duplicate"),
    path("playbooks/<int:pk>/delete/", graph_change.playbook_delete, name="playbook-delete"),
    path("playbooks/<int:pk>/archive/", graph_change.playbook_archive, name="playbook-archive"),
    path("playbooks/<int:pk>/unarchive/", graph_change.playbook_unarchive, name="playbook-unarchive"),
    path("playbooks/<int:pk>/versions/", graph_page.playbook_versions, name="playbook-versions"),
    path("playbooks/<int:pk>/versions/<int:number>/restore/", graph_change.playbook_restore, name="playbook-restore"),
    path("playbooks/<int:pk>/export/", graph_files.playbook_export, name="playbook-export"),
    path("playbooks/<int:pk>/cacao/", graph_files.playbook_cacao, name="playbook-cacao"),
    path("playbooks/<int:pk>/rehearse/", rehearse.playbook_rehearse, name="playbook-rehearse"),
    path("playbooks/<int:pk>/backtest/", backtests.playbook_backtest, name="playbook-backtest"),
    path("playbooks/<int:pk>/backtest/start/", backtests.playbook_backtest_start, name="playbook-backtest-start"),
    path(
        "playbooks/<int:pk>/backtest/<int:number>/cancel/",
        backtests.playbook_backtest_cancel,
        name="playbook-backtest-cancel",
    ),
]
