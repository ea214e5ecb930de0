"""The slice of the ``ros2`` command that face_af needs, for machines without an installed ROS 2.

Only the wheels' ``rclpy`` is needed, no daemon: every call is a node of its own that waits until it
has seen the graph. Options and output follow the real commands.
"""
