"""Clocks of incidents (casework.md 11): the calendar and the policy are pure, the clocks are rows."""
