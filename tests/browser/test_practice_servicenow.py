"""A person plays the service desk of the practice range's ServiceNow in the browser; axe, on a phone too."""
