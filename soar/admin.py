"""Takes out of Django's admin what is not in use: our tasks stand in our own table, so django-q2's stay empty. And its
own login form, which would know no limit of tries and no audit log: people sign in where everybody does.

Loaded by the admin after that of django-q2, which stands before ``soar`` in INSTALLED_APPS.
"""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin

admin.site.unregister(
    model for model in apps.get_app_config("django_q").get_models() if admin.site.is_registered(model)
)
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
