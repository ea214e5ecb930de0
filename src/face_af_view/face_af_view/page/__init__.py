"""The web page for phones: who may use it, what it is told, and what it may ask for. No ROS but in ``graph``."""
