"""A camera's picture as topics: raw for this machine, JPEG for recordings and for viewers on the network."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image

from . import qos
from .images import JPEG_QUALITY, to_bgr, to_jpeg


class PicturePublisher:
    """Publishes ``image_raw``, and ``image_raw/compressed`` with the same stamps while somebody listens to it.

    The JPEG is made here, as image_transport does: a recorder that made it would have to be sent 6 MB for each
    picture of 1080p first, which costs half as much as encoding it.
    """

    def __init__(self, node: Node, quality: int = JPEG_QUALITY) -> None:
        self.quality = quality
        """Of the JPEGs, 1 to 100; may be changed at any time."""
        # best effort, unless a parameter qos_overrides.TOPIC.publisher.reliability says otherwise
        self.raw = node.create_publisher(
            Image, "image_raw", qos.IMAGE, qos_overriding_options=QoSOverridingOptions.with_default_policies()
        )
        self.compressed = node.create_publisher(
            CompressedImage, node.resolve_topic_name("image_raw") + "/compressed", qos.COMPRESSED
        )

    @property
    def watched(self) -> bool:
        return bool(self.raw.get_subscription_count() + self.compressed.get_subscription_count())

    def publish(self, message: Image) -> None:
        """``message``: a ``bgr8`` picture. The raw one goes first, nobody waits for the JPEG."""
        self.raw.publish(message)
        self.publish_compressed(message)

    def publish_compressed(self, message: Image) -> None:
        if self.compressed.get_subscription_count():
            self.compressed.publish(to_jpeg(to_bgr(message), message.header, self.quality))
