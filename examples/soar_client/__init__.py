"""A small typed client of Soar's REST API. Needs Python 3.11 and httpx, nothing else."""

from soar_client.client import Problem, Soar
from soar_client.shapes import Alert, AlertRow, Incident, IncidentRow, Page

__all__ = ["Alert", "AlertRow", "Incident", "IncidentRow", "Page", "Problem", "Soar"]
