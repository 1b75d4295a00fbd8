"""One text negotiation of the full feature phase, seen by the target (RFC 7143 §11.10, §11.11).

Either side may need several PDUs: the initiator's pieces come with the C bit and are answered empty; our own pieces
are asked for one by one. The target transfer tag says which negotiation a request goes on with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi import pdu as p
from simulators.iscsi.text import TextCollector, TextFeeder, join_pairs

if TYPE_CHECKING:
    from simulators.iscsi.text import Pairs


class TextExchange:
    """The negotiation that is under way, if any."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        """What it has been about so far."""
        self.data_segment_length: int | None = None
        """What the initiator has declared, which counts from the final response on (§7.12)."""
        self._collector = TextCollector()
        self._feeder = TextFeeder()
        self._tag = p.NO_TAG

    def is_contradictory(self, request: p.TextRequest) -> bool:
        """Say whether a request is final with more to come, or goes on with what does not exist."""
        return (request.continues and request.final) or request.target_transfer_tag not in {p.NO_TAG, self._tag}

    def take(self, request: p.TextRequest) -> Pairs | None:
        """Take a request; return the pairs when they are complete and not yet answered."""
        self._collector.add(bytes(request.data))
        return None if request.continues or self._feeder.has_more else self._collector.take()

    def is_repeated(self, pairs: Pairs) -> bool:
        """Say whether a key comes twice in this negotiation, and take note of them all."""
        before = len(self.keys)
        self.keys.update(name for name, _ in pairs)
        return len(self.keys) < before + len(pairs)

    def load(self, answers: Pairs) -> None:
        """Prepare what `response` will send."""
        self._feeder.load(join_pairs(answers))

    def response(
        self, request: p.TextRequest, limit: int, fresh_tag: int, sequence: tuple[int, int, int]
    ) -> p.TextResponse:
        """Return the response to a request that was taken."""
        piece = b"" if request.continues else self._feeder.take(limit)
        has_more = self._feeder.has_more
        is_final = request.final and not has_more
        if is_final:
            self._tag = p.NO_TAG
        elif self._tag == p.NO_TAG:
            self._tag = fresh_tag
        tags = (request.initiator_task_tag, self._tag)
        return p.TextResponse(request.lun, *tags, *sequence, data=piece, final=is_final, continues=has_more)
