"""Case: the facade that wires the rooms, and the only place that appends entries for them."""
