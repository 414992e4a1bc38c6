"""Reading what other products send: pure functions from a payload to a NormalAlert, and the way in."""
