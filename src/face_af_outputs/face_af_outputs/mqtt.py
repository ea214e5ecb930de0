"""The connection to an MQTT broker: last will, retained states, reconnection, TLS, a password from a file."""

from __future__ import annotations

import ssl
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common.files import regular

from .outbox import Outbox, Parcel

ONLINE, OFFLINE = b"online", b"offline"
KEEPALIVE_S = 15
"""A broker that is silent for one and a half of these is lost."""
CONNECT_S = 5.0
PAUSES_S = (0.2, 10.0)
"""Between tries: the first one, doubled up to the second."""
_CLOSE_S = 2.0


class MqttError(ValueError):
    """Settings that cannot work; one line."""


@dataclass(frozen=True)
class Broker:
    """Where, and as whom. ``ca_file``: TLS with this authority; ``tls`` alone: with the system's."""

    host: str
    port: int = 1883
    client_id: str = "face_af"
    username: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""

    def password(self) -> str | None:
        """Raises :class:`MqttError`."""
        if not self.password_file:
            return None
        path = Path(self.password_file).expanduser()
        try:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise MqttError(f"{path}: everybody can read this password; chmod 600 {path}")
            with regular(path).open(encoding="utf-8") as file:
                return file.read(4096).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise MqttError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error

    def encryption(self) -> ssl.SSLContext | None:
        """None: none. Raises :class:`MqttError`."""
        if not (self.tls or self.ca_file):
            return None
        path = Path(self.ca_file).expanduser() if self.ca_file else None
        try:
            return ssl.create_default_context(cafile=path)
        except ssl.SSLError as error:
            raise MqttError(f"{path}: no certificate of an authority (PEM)") from error
        except OSError as error:
            raise MqttError(f"{path}: cannot be read ({error.strerror or error})") from error


class MqttLink:
    """Sends an :class:`Outbox` to a broker from threads of its own, and connects again whenever that breaks.

    ``say`` gets each new problem once, in one line, and an empty text when it is over.
    """

    def __init__(self, broker: Broker, outbox: Outbox, availability: str, say: Callable[[str], None]) -> None:
        self.broker, self.outbox = broker, outbox
        self._availability, self._say = availability, say
        self._password, self._encryption = broker.password(), broker.encryption()
        self._said = ""
        self._closing = threading.Event()
        self.connected = False
        self.connections = 0
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Says offline where there is a connection; ends within seconds either way."""
        self._closing.set()
        self.outbox.wake()
        self._thread.join(CONNECT_S + _CLOSE_S)

    def _run(self) -> None:
        pause = PAUSES_S[0]
        while not self._closing.is_set():
            reason = self._one_connection()
            if self.connected:
                pause = PAUSES_S[0]
            self.connected = False
            self.outbox.lost()
            if self._closing.is_set():
                return
            self._tell(f"MQTT {self.broker.host}:{self.broker.port}: {reason}; trying again")
            self._closing.wait(pause)
            pause = min(2 * pause, PAUSES_S[1])

    def _tell(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)

    def _one_connection(self) -> str:
        """Connects and sends until it breaks; returns why."""
        connection = _Connection(self)
        try:
            reason = connection.open()
            if not reason:
                self.connected, self.connections = True, self.connections + 1
                self._tell("")
                reason = connection.send_all(self._closing)
            return reason
        except (ssl.SSLError, ConnectionResetError) as error:
            if self._encryption is None or isinstance(error, ssl.SSLCertVerificationError):
                return _why(error)
            return "no encrypted connection; is this the broker's port for TLS (usually 8883)?"
        except (OSError, ValueError) as error:
            return _why(error)
        finally:
            connection.close(polite=self._closing.is_set())

    def client(self) -> Any:
        """A client of paho without any memory: what is sent again is decided by the outbox. Raises ``OSError``."""
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        broker = self.broker
        made = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=broker.client_id, clean_session=False, protocol=mqtt.MQTTv311
        )
        if broker.username:
            made.username_pw_set(broker.username, self._password)
        if self._encryption is not None:
            made.tls_set_context(self._encryption)
        made.will_set(self._availability, OFFLINE, qos=1, retain=True)
        made.connect_timeout = CONNECT_S
        return made

    @property
    def availability(self) -> str:
        return self._availability


class _Connection:
    """One try: from connecting to the end of it."""

    def __init__(self, link: MqttLink) -> None:
        self._link, self._outbox = link, link.outbox
        self._client = link.client()
        self._answered = threading.Event()
        self._refused = self._ended = ""
        self._remembers = False
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda client, data, number, *rest: self._outbox.arrived(number)
        self._network = threading.Thread(target=self._loop, name="mqtt network", daemon=True)

    def open(self) -> str:
        """Why it was refused; empty: connected. Raises ``OSError``."""
        self._client.connect(self._link.broker.host, self._link.broker.port, KEEPALIVE_S)
        self._network.start()
        if not self._answered.wait(CONNECT_S):
            return f"no answer within {CONNECT_S:g} s"
        if self._refused or self._ended:
            return self._refused or self._ended
        self._outbox.connected(self._remembers)
        self._client.publish(self._link.availability, ONLINE, qos=1, retain=True)
        return ""

    def send_all(self, closing: threading.Event) -> str:
        while not closing.is_set() and not self._ended:
            parcel = self._outbox.next(0.5)
            if parcel is None:
                continue
            if self._ended or not self._client.is_connected():
                self._outbox.back(parcel)
                break
            self._send(parcel)
        return self._ended or "the connection was lost"

    def _send(self, parcel: Parcel) -> None:
        import paho.mqtt.client as mqtt

        info = self._client.publish(parcel.topic, parcel.payload, qos=1, retain=parcel.retain)
        if info.rc == mqtt.MQTT_ERR_NO_CONN:
            self._outbox.back(parcel)
        else:
            self._outbox.flying(info.mid, parcel)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            self._ended = self._ended or str(mqtt.error_string(info.rc))

    def _loop(self) -> None:
        import paho.mqtt.client as mqtt

        while True:
            try:
                code = self._client.loop(0.5)
            except (OSError, ValueError) as error:  # its socket was closed under it
                code, self._ended = mqtt.MQTT_ERR_CONN_LOST, _why(error)
            if code != mqtt.MQTT_ERR_SUCCESS:
                self._ended = self._ended or "the connection was lost"
                self._answered.set()
                self._outbox.wake()
                return

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._remembers = bool(flags.session_present)
        self._refused = f"refused: {str(reason).lower()}" if reason.is_failure else ""
        self._answered.set()

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._ended = self._ended or "the connection was lost"
        self._answered.set()
        self._outbox.wake()

    def close(self, polite: bool) -> None:
        if polite and self._client.is_connected():
            end = time.monotonic() + _CLOSE_S
            while not self._outbox.idle and not self._ended and time.monotonic() < end:
                parcel = self._outbox.next(0.05)
                if parcel is not None:
                    self._send(parcel)
            info = self._client.publish(self._link.availability, OFFLINE, qos=1, retain=True)
            try:
                info.wait_for_publish(_CLOSE_S)
            except (ValueError, RuntimeError):
                pass
        self._client.disconnect()
        if self._network.is_alive():
            self._network.join(_CLOSE_S)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
