"""What several test rooms share: a simulated world for the pure core, and generated workflows."""
