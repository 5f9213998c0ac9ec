"""What people ask of a journal: status, tasks, timeline, graph, list. Each is a fold of records and nothing else."""
