"""Response playbooks run: objects and their ratings, the walk over the graph, tasks, approvals, the end and its report.

Rows are the truth. ``advance`` decides under the locks of the case and the run; everything remote is done by tasks,
outside of any transaction; what waits costs nothing.
"""
