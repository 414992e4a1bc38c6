"""Addresses of the keys that sign exports."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import signing

urlpatterns: list[URLPattern] = [
    path("settings/signing-keys/", signing.key_list, name="signing-keys"),
    path("settings/signing-keys/rotate/", signing.key_rotate, name="signing-key-rotate"),
    path("settings/signing-keys/verify.py", signing.verifier, name="signing-verifier"),
]
