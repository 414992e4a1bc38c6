"""What the demo has of playbooks: runs of the shipped ones on alerts of the past, and response playbooks that really
run against the practice range, with what they are made of."""
