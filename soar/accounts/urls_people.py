"""Addresses of people, teams, roles and everybody's tokens."""

from __future__ import annotations

from django.urls import URLPattern, path

from soar.accounts import views_groups, views_people, views_team, views_tokens

urlpatterns: list[URLPattern] = [
    path("people/", views_people.people_list, name="people"),
    path("people/new/", views_people.person_new, name="person-new"),
    path("people/teams/", views_groups.team_list, name="team-list"),
    path("people/teams/<int:pk>/", views_team.team, name="team"),
    path("people/teams/<int:pk>/people/", views_team.team_people, name="team-people"),
    path("people/teams/<int:pk>/delete/", views_team.team_delete, name="team-delete"),
    path("people/roles/", views_groups.role_list, name="role-list"),
    path("people/roles/<int:pk>/", views_groups.role, name="role"),
    path("people/roles/<int:pk>/delete/", views_groups.role_delete, name="role-delete"),
    path("people/roles/<int:pk>/second-factor/", views_groups.role_second_factor, name="role-second-factor"),
    path("people/tokens/", views_tokens.all_tokens, name="all-tokens"),
    path("people/tokens/<int:pk>/revoke/", views_tokens.any_token_revoke, name="any-token-revoke"),
    path("people/<int:pk>/", views_people.person, name="person"),
    path("people/<int:pk>/active/", views_people.person_active, name="person-active"),
    path("people/<int:pk>/password/", views_people.person_password, name="person-password"),
    path("people/<int:pk>/sessions/", views_people.person_sessions, name="person-sessions"),
    path("people/<int:pk>/hand-over/", views_people.person_hand_over, name="person-hand-over"),
    path("people/<int:pk>/tokens/", views_tokens.service_token, name="service-token"),
]
