"""Single sign-on by OpenID Connect, on django-allauth's provider."""
