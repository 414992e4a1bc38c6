"""The incidents of the demo, in every state there is."""

from __future__ import annotations

from cases.demo.stories import benign, campaign, finished, ongoing

STORIES = [*campaign.STORIES, *ongoing.STORIES, *finished.STORIES, *benign.STORIES]
