"""MQTT 5, our usual transport: over asyncio, it reads many packets at once and writes many PUBACKs at once.

It reads every few milliseconds and hands over ten times a second, so that under load many messages go together; that halves
the CPU time of a message. What comes after a pause goes at once. `receive_max` bounds what waits for the journal; QoS 0 knows
no such bound, and above it we stop reading.
"""

import asyncio
import itertools
import logging
from collections.abc import Sequence
from typing import cast

import mqtt5

from domain.errors import EngineError
from ingest.transport import FILTERS, MAX_PAYLOAD_BYTES, Batch, Counters, Deliver, Endpoint, Message, QoS
from ingest.transports.frames import pubacks, split
from ingest.transports.sessions import Receipt, SessionTransport

_LOG = logging.getLogger(__name__)
_REST_S = 0.1
"""Between two hand-overs: fewer and larger ones are cheaper for everybody who comes after."""
_SIP_S = 0.02
"""Between two reads: longer, and what the system holds for us would not suffice for a busy broker."""
_MUCH = 512 << 10
"""So many bytes are handed over at once."""
_MAX_PACKET = MAX_PAYLOAD_BYTES + (128 << 10)  # room for the longest topic and some properties
_IDS = 0xFFFF

_TAKEN = (mqtt5.PubAckReasonCode.SUCCESS, mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS)

_Answer = mqtt5.ConnAckPacket | mqtt5.SubAckPacket


class Mqtt5Transport(SessionTransport):
    """A Transport for brokers that speak MQTT 5."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, Mqtt5Session)


class Mqtt5Session(asyncio.BufferedProtocol):
    """One connection, from CONNECT to its end; `_lost` then holds why it ended."""

    def __init__(self, endpoint: Endpoint, counters: Counters, deliver: Deliver) -> None:
        loop = asyncio.get_running_loop()
        self._endpoint = endpoint
        self._counters = counters
        self._deliver = deliver
        self._loop = loop
        self._buffer = bytearray(_MAX_PACKET)
        self._filled = 0
        self._needed = 0
        self._keep_alive = endpoint.keep_alive
        self._resting = False
        self._due: asyncio.TimerHandle | None = None
        self._heard = True
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[Exception] = loop.create_future()
        self._answer: asyncio.Future[_Answer] = loop.create_future()
        self._writable = asyncio.Event()
        self._ids = itertools.cycle(range(1, _IDS + 1))
        self._unconfirmed: dict[int, asyncio.Future[mqtt5.PubAckReasonCode]] = {}
        self._quota = asyncio.Semaphore(0)

    # -- the life of a session

    async def open(self) -> None:
        at = self._endpoint
        await self._loop.create_connection(lambda: self, at.host, at.port, ssl=at.tls)
        greeting = await self._greet()
        if greeting.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise EngineError(f"refused our connection: {greeting.reason_code.name}")
        if self._counters.connections and not greeting.session_present:
            _LOG.warning("the broker has forgotten our session: what it held for us meanwhile is lost")
        if greeting.server_keep_alive is not None:
            self._keep_alive = greeting.server_keep_alive
        self._quota = asyncio.Semaphore(greeting.receive_max)
        await self._subscribe()

    async def _greet(self) -> mqtt5.ConnAckPacket:
        at = self._endpoint
        connect = mqtt5.ConnectPacket(
            at.client_id,
            username=at.username,
            password=None if at.password is None else at.password.encode(),
            clean_start=False,
            keep_alive=at.keep_alive,
            session_expiry_interval=at.session_expiry,
            receive_max=at.receive_max,
            max_packet_size=_MAX_PACKET,
        )
        return cast("mqtt5.ConnAckPacket", await self._ask(connect.write()))

    async def _subscribe(self) -> None:
        # Every time, since filters may have changed with our version; a standing subscription costs nothing, and
        # brings no retained messages again.
        filters = [
            mqtt5.TopicFilter(
                pattern,
                max_qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain_as_published=False,  # so that the bit says: stored, not fresh
                retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
            )
            for pattern in FILTERS
        ]
        answer = cast("mqtt5.SubAckPacket", await self._ask(mqtt5.SubscribePacket(next(self._ids), filters).write()))
        if any(code != mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE for code in answer.reason_codes):
            raise EngineError(f"refused our subscriptions: {[code.name for code in answer.reason_codes]}")

    async def _ask(self, packet: bytes) -> _Answer:
        self._answer = self._loop.create_future()
        self._write(packet)
        await asyncio.wait((self._answer, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if self._answer.done():
            return self._answer.result()
        raise self._lost.result()

    async def stay(self) -> None:
        # Two pings in each keep-alive: a broker that says nothing at all between two of them is gone.
        while not self._lost.done():
            await asyncio.wait((self._lost,), timeout=self._keep_alive / 2 or None)
            if not (self._heard or self._lost.done() or self._is_full()):  # while we do not read we cannot hear
                raise EngineError("silent for too long")
            self._heard = False
            self._write(mqtt5.PingReqPacket().write())
        raise self._lost.result()

    async def close(self) -> None:
        if self._transport is None:
            return
        self._write(mqtt5.DisconnectPacket().write())
        self._transport.close()
        await asyncio.wait((self._lost,), timeout=1.0)
        self._transport.abort()

    # -- what we say

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._lost.done():
            self._transport.write(data)

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        self._write(pubacks(packet_ids))
        self._heard = True  # we may not have read for a while: give the broker a whole interval again
        self._read_on()

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        await self._writable.wait()
        if qos == 0:
            self._write(mqtt5.PublishPacket(topic, payload).write())
            return
        async with self._quota:
            await self._publish_confirmed(topic, payload)

    async def _publish_confirmed(self, topic: str, payload: bytes) -> None:
        packet_id = next(i for i in self._ids if i not in self._unconfirmed)
        confirmed = self._unconfirmed[packet_id] = self._loop.create_future()
        self._write(mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id).write())
        await asyncio.wait((confirmed, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if not confirmed.done():
            raise EngineError(f"the connection ended before the broker confirmed: {self._lost.result()}")
        if confirmed.result() not in _TAKEN:
            raise EngineError(f"the broker refused a message: {confirmed.result().name}")

    # -- what we hear

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or EngineError("closed the connection"))
        self._writable.set()

    def _end(self, why: Exception) -> None:
        if not self._lost.done():
            self._lost.set_result(why)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint  # there is always room for one packet of the largest size
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        self._heard = True
        if self._filled >= self._needed:
            if self._due is None or self._filled >= _MUCH:
                self._take_in()
            self._sip()

    def _take_in(self) -> None:
        if self._lost.done():
            return
        try:
            self._read()
        except (EngineError, ValueError, IndexError) as error:  # the last two: the codec on a malformed packet
            self._end(EngineError(f"not MQTT 5: {error}"))

    def _read(self) -> None:
        data = bytes(memoryview(self._buffer)[: self._filled])
        packets = split(data)
        for packet in packets.others:
            self._hear(mqtt5.read(memoryview(packet))[0])
        self._keep(data[packets.end :], packets.needed)
        if packets.messages:
            self._hand_over(packets.messages, packets.packet_ids)

    def _keep(self, rest: bytes, needed: int) -> None:
        if needed > len(self._buffer):
            raise EngineError(f"a packet of {needed} bytes, more than we allow")
        self._buffer[: len(rest)] = rest
        self._filled = len(rest)
        self._needed = needed

    def _hear(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket() | mqtt5.SubAckPacket() if not self._answer.done():
                self._answer.set_result(packet)
            case mqtt5.PubAckPacket():
                confirmed = self._unconfirmed.pop(packet.packet_id, None)
                if confirmed is not None and not confirmed.done():
                    confirmed.set_result(packet.reason_code)
            case mqtt5.DisconnectPacket():
                self._end(EngineError(f"ended the connection: {packet.reason_code.name}"))
            case _:
                pass  # PINGRESP: it was heard, which is all it says

    def _hand_over(self, messages: Sequence[Message], packet_ids: list[int]) -> None:
        batch = Batch(messages, sum(len(message.payload) for message in messages), Receipt(self, packet_ids))
        self._counters.took(batch)
        if self._due is None:
            self._due = self._loop.call_later(_REST_S, self._now_due)
        self._deliver(batch)

    # -- when we read

    def _now_due(self) -> None:
        self._due = None
        if self._filled and self._filled >= self._needed:
            self._take_in()

    def _sip(self) -> None:
        if self._transport is not None and not self._resting:
            self._resting = True
            self._transport.pause_reading()
            self._loop.call_later(_SIP_S, self._rested)

    def _rested(self) -> None:
        self._resting = False
        self._read_on()

    def _is_full(self) -> bool:
        return self._endpoint.is_full(self._counters)

    def _read_on(self) -> None:
        if self._transport is not None and not (self._resting or self._lost.done() or self._is_full()):
            self._transport.resume_reading()
