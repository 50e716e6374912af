"""MQTT 3.1.1 for brokers that speak no 5: paho-mqtt with `manual_ack`, driven by our event loop, without a thread of its own.

MQTT 3.1.1 has no `receive_max`: the broker's own limit of messages in flight is the back-pressure, and beyond it we
stop reading. A pause longer than the keep-alive then costs the connection, and nothing that was sent at QoS 1.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, ConnectFlags, MQTTMessage, MQTTv311, error_string
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED
from ingest.transport import FILTERS, Batch, Counters, Deliver, Endpoint, Message, QoS
from ingest.transports.sessions import ANSWER_S, Receipt, SessionTransport

_LOG = logging.getLogger(__name__)
_MOST_AT_ONCE = 1_000
_HOUSEKEEPING_S = 1.0


class PahoTransport(SessionTransport):
    """A Transport for brokers that speak MQTT 3.1.1."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, PahoSession)


class PahoSession:
    """One connection with a paho client of its own, so that nothing of an earlier one is left in it."""

    def __init__(self, endpoint: Endpoint, counters: Counters, deliver: Deliver) -> None:
        self._loop = asyncio.get_running_loop()
        self._endpoint = endpoint
        self._counters = counters
        self._deliver = deliver
        self._lost: asyncio.Future[Exception] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._messages: list[Message] = []
        self._packet_ids: list[int] = []
        self._reading = True
        self._client = self._new_client()
        self._connecting: asyncio.Future[Any] | None = None

    def _new_client(self) -> Client:
        at = self._endpoint
        client = Client(
            CallbackAPIVersion.VERSION2, at.client_id, clean_session=False, protocol=MQTTv311, manual_ack=True
        )
        client.connect_timeout = ANSWER_S / 2
        if at.username is not None:
            client.username_pw_set(at.username, at.password)
        if at.tls is not None:
            client.tls_set_context(at.tls)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = lambda _client, _ours, _flags, reason, _properties: self._end(
            EngineError(f"gone: {reason}")
        )
        return client

    # -- the life of a session

    async def open(self) -> None:
        at = self._endpoint
        self._connecting = asyncio.ensure_future(
            asyncio.to_thread(self._client.connect, at.host, at.port, at.keep_alive)
        )
        await asyncio.shield(self._connecting)
        self._attach()
        await asyncio.wait((self._subscribed, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._subscribed.done():
            raise self._lost.result()

    def _attach(self) -> None:
        client, loop = self._client, self._loop
        sock = client.socket()
        if sock is None:
            raise EngineError("closed the connection")
        client.on_socket_register_write = lambda _client, _ours, sock: _nothing(
            loop.add_writer(sock, client.loop_write)
        )
        client.on_socket_unregister_write = lambda _client, _ours, sock: _nothing(loop.remove_writer(sock))
        client.on_socket_close = lambda _client, _ours, sock: _nothing(loop.remove_reader(sock))
        loop.add_reader(sock, self._readable)
        if client.want_write():
            loop.add_writer(sock, client.loop_write)

    async def stay(self) -> None:
        while not self._lost.done():
            await asyncio.wait((self._lost,), timeout=_HOUSEKEEPING_S)
            self._client.loop_misc()  # pings, and the end of a broker that does not answer them
        raise self._lost.result()

    async def close(self) -> None:
        if self._connecting is None:
            return
        await asyncio.wait((self._connecting,))
        self._client.disconnect()
        self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:  # what we had to say did not go out: leave without a word
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def _end(self, why: Exception) -> None:
        if not self._lost.done():
            self._lost.set_result(why)

    # -- what we say

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        for packet_id in packet_ids:
            self._client.ack(packet_id, 1)
        sock = self._client.socket()
        if sock is not None and not (self._reading or self._endpoint.is_full(self._counters)):
            self._reading = True
            self._loop.add_reader(sock, self._readable)
            self._loop.call_soon(self._readable)  # what TLS has taken off the socket already wakes nobody

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        sent = self._client.publish(topic, payload, qos)
        if sent.rc != MQTT_ERR_SUCCESS:
            raise EngineError(f"the message could not be sent: {error_string(sent.rc)}")
        if qos:
            confirmed = self._unconfirmed[sent.mid] = self._loop.create_future()
            await asyncio.wait((confirmed, self._lost), return_when=asyncio.FIRST_COMPLETED)
            if not confirmed.done():
                raise EngineError(f"the connection ended before the broker confirmed: {self._lost.result()}")

    def _on_publish(
        self, _client: Client, _ours: object, mid: int, _reason: ReasonCode, _properties: Properties
    ) -> None:
        confirmed = self._unconfirmed.pop(mid, None)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)

    # -- what we hear

    def _on_connect(
        self, client: Client, _ours: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._end(EngineError(f"refused our connection: {reason}"))
        elif flags.session_present:  # subscribing again would bring all retained messages again
            self._subscribed.set_result(None)
        else:
            if self._counters.connections:
                _LOG.warning("the broker has forgotten our session: what it held for us meanwhile is lost")
            client.subscribe([(pattern, 1) for pattern in FILTERS])

    def _on_subscribe(
        self, _client: Client, _ours: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._end(EngineError(f"refused our subscriptions: {[str(reason) for reason in reasons]}"))
        else:
            self._subscribed.set_result(None)

    def _on_message(self, _client: Client, _ours: object, message: MQTTMessage) -> None:
        flags = (RETAINED if message.retain else 0) | (REDELIVERED if message.dup else 0)
        self._messages.append(Message(_topic(message), bytes(message.payload), flags))
        if message.qos:
            self._packet_ids.append(message.mid)

    def _readable(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the session and is raised there
            self._end(error)

    def _read(self) -> None:
        client, before = self._client, -1
        while self._reading and before < len(self._messages) < _MOST_AT_ONCE:
            before = len(self._messages)
            client.loop_read()
        if self._messages:
            self._hand_over()
        sock = client.socket()
        if self._reading and isinstance(sock, ssl.SSLSocket) and sock.pending():
            self._loop.call_soon(self._readable)

    def _hand_over(self) -> None:
        messages, self._messages = self._messages, []
        packet_ids, self._packet_ids = self._packet_ids, []
        batch = Batch(messages, sum(len(message.payload) for message in messages), Receipt(self, packet_ids))
        self._counters.took(batch)
        sock = self._client.socket()
        if sock is not None and self._endpoint.is_full(self._counters):
            self._reading = False
            self._loop.remove_reader(sock)
        self._deliver(batch)


def _nothing(_: object) -> None:
    """Let an expression be a callback that returns nothing."""


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError as error:  # no device of ours: it becomes a dead letter
        return error.object.decode("utf-8", "backslashreplace")
