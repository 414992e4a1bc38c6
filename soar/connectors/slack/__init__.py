"""Slack, by an incoming webhook of a channel."""
