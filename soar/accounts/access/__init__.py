"""Object permissions: who was let in to one incident, source, playbook or connector by name (access.md 3, 5).

What can be granted is a kind (``kinds``), made on the floor that owns it and named in ``settings.GRANTABLE``; rows,
actions, the reasons why somebody sees something, and the pages are the same for all kinds."""
