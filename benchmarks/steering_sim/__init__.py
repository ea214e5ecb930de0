"""Closed-loop scenarios for steering without any picture: a stage, a camera, and what vision would have seen."""
