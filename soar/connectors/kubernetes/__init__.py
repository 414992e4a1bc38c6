"""Kubernetes: pods are cut off from the network, given back, deleted."""
