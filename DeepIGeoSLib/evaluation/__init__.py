"""Measuring: metrics, the robot user's protocol, benchmarks."""
