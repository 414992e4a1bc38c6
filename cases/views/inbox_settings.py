"""What a person is told of, where and when; with a test of their chat."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import notifications as actions
from cases.errors import CaseError, Refused
from cases.models import Channel
from cases.notifications import choices, composing
from cases.views import inbox_form as forms
from cases.views import inbox_parts as shown
from cases.views.parts import person_of, signed_in_reader
from soar.connectors import notify, personal
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import TEST, Message

TEMPLATE = "inbox/settings.html"


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def notification_settings(request: HttpRequest) -> HttpResponse:
    """The form; a stale one is refused."""
    user = person_of(request)
    chosen = choices.settings_of(user.pk)
    sent = request.POST if request.method == "POST" else None
    form = forms.SettingsForm(sent, chosen=chosen)
    if sent is not None and form.is_valid():
        version = sent.get("version", "")
        expected = int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None
        try:
            actions.save_settings(user, form.for_action(forms.read_rows(sent)), expected_version=expected)
        except CaseError as error:
            field = error.field if isinstance(error, Refused) and error.field in form.fields else None
            form.add_error(field, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("notification-settings")
    context = {
        "form": form,
        "rows": forms.rows_of(chosen, sent),
        "version": chosen.version,
        "has_chat": bool(chosen.chat_way),
        "mail_ready": notify.mail_account() is not None,
        "troubles": shown.troubles(user),
    }
    return render(request, TEMPLATE, context, status=422 if form.errors else 200)


@signed_in_reader
@require_POST
def chat_test(request: HttpRequest) -> HttpResponse:
    """Send a test to one's own chat, and say what came of it."""
    user = person_of(request)
    way = personal.way_of(user, choices.settings_of(user.pk), Channel.CHAT)
    if way is None:
        messages.error(request, _("Your chat is not set up, or its connector is off."))
        return redirect("notification-settings")
    text = _("Notifications from Soar come here.")
    link = composing.preferences_url()
    message = Message(_("A test of your chat"), type=TEST, text=text, link=link, tlp="clear")
    try:
        way.send(message, key="")
    except ConnectorError as error:
        messages.error(request, _("The test could not be sent: %s") % error.message)
    else:
        messages.success(request, _("The test was sent."))
    return redirect("notification-settings")
