"""Incidents from elsewhere: what a file says, read into a plan (pure); ``cases.actions.imports`` carries it out."""
