"""`nn.functional`'s distances, which are the ops."""

from __future__ import annotations

from ... import ops

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]

cosine_similarity, pairwise_distance, pdist = (
    ops.cosine_similarity,
    ops.pairwise_distance,
    ops.pdist,
)
