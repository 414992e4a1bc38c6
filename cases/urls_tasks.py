"""Addresses of tasks and incident templates."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import tasks, tasks_change, templates

urlpatterns: list[URLPattern] = [
    path("tasks/", tasks.task_list, name="task-list"),
    path("tasks/<int:pk>/done/", tasks.task_done, name="task-done"),
    path("tasks/<int:pk>/mine/", tasks.task_mine, name="task-mine"),
    path("incidents/<str:number>/tasks/add/", tasks_change.task_add, name="task-add"),
    path("incidents/<str:number>/tasks/complete/", tasks_change.task_complete, name="task-complete"),
    path("incidents/<str:number>/tasks/reopen/", tasks_change.task_reopen, name="task-reopen"),
    path("incidents/<str:number>/tasks/take/", tasks_change.task_take, name="task-take"),
    path("incidents/<str:number>/tasks/up/", tasks_change.task_up, name="task-up"),
    path("incidents/<str:number>/tasks/down/", tasks_change.task_down, name="task-down"),
    path("incidents/<str:number>/tasks/remove/", tasks_change.task_remove, name="task-remove"),
    path("incidents/<str:number>/tasks/template/", tasks_change.incident_template, name="incident-template"),
    path("incidents/<str:number>/tasks/<int:pk>/", tasks_change.task_edit, name="task-edit"),
    path("settings/templates/", templates.template_list, name="template-list"),
    path("settings/templates/new/", templates.template_create, name="template-create"),
    path("settings/templates/<int:pk>/", templates.template_edit, name="template-edit"),
    path("settings/templates/<int:pk>/delete/", templates.template_delete, name="template-delete"),
]
