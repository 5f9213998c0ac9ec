"""Files of users become data with positions: YAML and JSON at the door, the shape of a workflow, declared fields."""
