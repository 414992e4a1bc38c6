"""Addresses of assets."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import assets, assets_change

urlpatterns: list[URLPattern] = [
    path("assets/", assets.asset_list, name="asset-list"),
    path("assets/new/", assets_change.asset_new, name="asset-new"),
    path("assets/import/", assets_change.asset_upload, name="asset-import"),
    path("assets/import/<int:pk>/", assets_change.asset_import_apply, name="asset-import-apply"),
    path("incidents/<str:number>/assets/add/", assets_change.incident_asset_add, name="incident-asset-add"),
    path("incidents/<str:number>/assets/remove/", assets_change.incident_asset_remove, name="incident-asset-remove"),
    path("assets/<int:pk>/", assets.asset_detail, name="asset-detail"),
    path("assets/<int:pk>/edit/", assets_change.asset_edit, name="asset-edit"),
    path("assets/<int:pk>/remove/", assets_change.asset_remove, name="asset-remove"),
]
