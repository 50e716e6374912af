"""The journal in memory: for tests and back-tests, with the promises of the real one except surviving the process."""

import bisect
import threading
from collections.abc import Sequence

from domain.errors import EngineError
from domain.records import START, STRETCH_BYTES, JournalInfo, Record, RecordBatch, stretches, taken_in, weights


class MemoryJournal:
    """`domain.records.Journal` in a list of batches; thread-safe. `bytes` counts topics and payloads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[RecordBatch] = []
        self._device_records = 0
        self._closed = False

    def append(self, records: Sequence[Record]) -> int:
        with self._lock:
            first = self._end()
            for part, _ in stretches(records):
                self._batches.append(RecordBatch(self._end(), part))
            self._device_records += taken_in(records)
            return first

    def read(self, offset: int, limit: int) -> RecordBatch:
        with self._lock:
            begin = max(offset, self._start())
            found: list[Record] = []
            size = 0
            for batch in self._batches[self._index(begin) :]:
                part = batch.records[max(begin - batch.first_offset, 0) :]
                found += part
                size += sum(weights(part))
                if len(found) >= limit or size >= STRETCH_BYTES:
                    break
            return RecordBatch(begin, found)

    def info(self) -> JournalInfo:
        with self._lock:
            end = self._end()
            size = sum(len(r.topic) + len(r.payload) for batch in self._batches for r in batch.records)
            first_ms = self._batches[0].records[0].received_ms if self._batches else None
            last_ms = self._batches[-1].records[-1].received_ms if self._batches else None
            return JournalInfo(self._start(), end, self._device_records, size, first_ms, last_ms)

    def trim(self, before: int) -> int:
        with self._lock:
            self._end()
            while len(self._batches) > 1 and self._batches[0].end_offset <= before:
                del self._batches[0]
            return self._start()

    def begin_at(self, offset: int, device_records: int) -> None:
        with self._lock:
            if self._batches:
                raise EngineError("the journal is not empty")
            self._batches.append(RecordBatch(offset - 1, (Record(0, START, b""),)))
            self._device_records = device_records

    def skip(self, offset: int) -> tuple[int, int]:
        with self._lock:
            batch = self._batches[self._index(offset)]
            return batch.end_offset, taken_in(batch.records)

    def close(self) -> None:
        self._closed = True

    def _start(self) -> int:
        return self._batches[0].first_offset if self._batches else 0

    def _end(self) -> int:
        if self._closed:
            raise EngineError("the journal is closed")
        return self._batches[-1].end_offset if self._batches else 0

    def _index(self, offset: int) -> int:
        """Return the position of the first batch that ends after `offset`."""
        self._end()
        return bisect.bisect_right(self._batches, offset, key=lambda batch: batch.end_offset)
