"""Services that unplug the simulated camera: its remote control (PTP/IP) and its HDMI output."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool

from face_af_common.diagnostics import WARN, Health
from face_af_common.runtime import StartError
from face_af_common.services import serve

from .controls import CameraControls

_RETRY_S = 2.0


class FaultServices:
    """Serves the virtual Z8 on loopback, and ``sim/unplug`` and ``sim/unplug_capture`` (true = out, false = back).

    ``port``: 0 takes a free one, -1 leaves the camera without remote control; a port that is taken is tried again.
    ``grip``: the file of a remote profile that the camera hears; :class:`StartError` when it cannot be used.
    ``lockstep``: the picture's cable cannot be pulled, because time stands still without pictures.
    """

    def __init__(
        self, node: Node, controls: CameraControls, port: int, lockstep: bool, health: Health, grip: str = ""
    ) -> None:
        self._node = node
        self._health = health
        self._lockstep = lockstep
        self._out: set[str] = set()
        self._retry = node.create_timer(_RETRY_S, self.plug_in, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._retry.cancel()
        if port < 0:
            self._server = None
        else:
            from nikon_mcn10_driver.profile import ProfileError

            from .virtual_z8 import PtpIpServer, VirtualZ8, grip_of

            try:
                camera = VirtualZ8(controls, grip=grip_of(grip))
            except ProfileError as error:
                raise StartError(f"grip: {error}") from error
            self._server = PtpIpServer(camera, host="127.0.0.1", port=port)
        serve(node, SetBool, "sim/unplug", self._on_camera)
        serve(node, SetBool, "sim/unplug_capture", self._on_picture)

    @property
    def out(self) -> str:
        """The cables that are out, as text; empty when none is."""
        return " and ".join(sorted(self._out))

    @property
    def picture(self) -> bool:
        """Whether pictures reach the computer."""
        return "picture" not in self._out

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()

    def plug_in(self) -> None:
        """Opens the camera's port, now or, when it is taken, later."""
        if self._server is None:
            return
        try:
            self._server.start()
        except OSError as error:
            self._health.fault(
                f"the virtual camera cannot listen on port {self._server.port}: {error.strerror or error}"
            )
            self._retry.reset()
            return
        if not self._retry.is_canceled():
            self._retry.cancel()
            self._health.recovered()
        self._node.get_logger().info(f"virtual Z8 on 127.0.0.1:{self._server.port} (PTP/IP)")

    def _on_camera(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if self._server is None:
            response.message = "there is no camera: ptpip_port is -1"
        elif self._pull("camera", request.data, response):
            if request.data:
                self._retry.cancel()
                self._server.stop()
            else:
                self.plug_in()
        return response

    def _on_picture(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if self._lockstep:
            response.message = "in lockstep time stands still without pictures"
        else:
            self._pull("picture", request.data, response)
        return response

    def _pull(self, cable: str, out: bool, response: SetBool.Response) -> bool:
        """Notes what is out and says so; whether anything has changed."""
        changed = out != (cable in self._out)
        (self._out.add if out else self._out.discard)(cable)
        response.success = True
        response.message = f"{cable}: {'out' if out else 'in'}"
        if self._out:
            self._health.fault(f"unplugged by hand: {self.out}", WARN)
        elif changed:
            self._health.recovered("everything is plugged in")
        return changed
