"""Keeps in a journal what an evaluation has sampled, graded and measured so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data_prep.sampling.journal import Journal
from recipe.edge_grpo.evaluate.responses import GradedResponse, ResponseKey


@dataclass(frozen=True)
class StoredResponse:
    """A graded response without an entropy, with the tokens that the policy sampled last and their mean surprisal."""

    graded: GradedResponse
    token_ids: tuple[int, ...]
    surprisal: float | None


class ResponseStore:
    """Responses and exact entropies by the key of the response; when `add_…` returns, what it adds is on the disk."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.responses: dict[ResponseKey, StoredResponse] = {}
        self.entropies: dict[ResponseKey, float] = {}
        for record in journal.records:
            if "graded" in record:
                self._keep(_stored_response(record))
            else:
                self.entropies[ResponseKey(*record["key"])] = record["entropy"]

    def add_responses(self, responses: Sequence[StoredResponse]) -> None:
        """Keep responses that were just graded."""
        self._journal.append(map(asdict, responses))
        for response in responses:
            self._keep(response)

    def add_entropies(self, entropies: Mapping[ResponseKey, float]) -> None:
        """Keep entropies that were just measured."""
        self._journal.append({"key": key, "entropy": entropy} for key, entropy in entropies.items())
        self.entropies |= entropies

    def missing(self, keys: Iterable[ResponseKey]) -> list[ResponseKey]:
        """Return those of `keys` without a response."""
        return [key for key in keys if key not in self.responses]

    def _keep(self, response: StoredResponse) -> None:
        self.responses[response.graded.key] = response


def _stored_response(record: Mapping[str, Any]) -> StoredResponse:
    return StoredResponse(GradedResponse(**record["graded"]), tuple(record["token_ids"]), record["surprisal"])
