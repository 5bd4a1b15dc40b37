"""How far to go along a direction: the strong Wolfe conditions, by bracketing and zooming.

With f(t) the loss at distance t along the direction and f' its slope there, a distance is good if
the loss has gone down enough and the slope is flat enough:

    f(t) <= f(0) + c1 * t * f'(0)       and       |f'(t)| <= c2 * |f'(0)|

(Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6.) First t grows until such a
distance must lie behind it; then the bracket shrinks, at the minimum of a cubic through its ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["cubic_minimum", "strong_wolfe"]


@dataclass
class Point:
    """A distance, the loss, the gradient and the slope there."""

    t: Any
    f: float
    g: Any
    slope: Any


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic with the losses and slopes of two points is smallest, within bounds
    (by default the points themselves); the middle of the bounds if it has no minimum."""
    a, b = sorted((a, b), key=lambda point: point.t)
    low, high = bounds or (a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    best = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(best, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Any]], t: Any, direction: Any, f: float, g: Any,
    slope: Any, c1: float = 1e-4, c2: float = 0.9, tolerance: float = 1e-9,
    max_evaluations: int = 25,
) -> tuple[float, Any, Any, int]:  # fmt: skip
    """Finds a distance that satisfies the conditions, starting with `t`.

    `evaluate(t)` returns loss and gradient. Returns loss, gradient and distance, and the number of
    evaluations; the best distance so far if `max_evaluations` of them did not suffice.
    """
    return _Search(evaluate, direction, f, g, slope, c1, c2).run(t, tolerance, max_evaluations)


class _Search:
    """One search; `start` is the point at distance 0."""

    def __init__(
        self, evaluate: Callable[[Any], tuple[float, Any]], direction: Any, f: float, g: Any,
        slope: Any, c1: float, c2: float,
    ) -> None:  # fmt: skip
        self.evaluate, self.direction, self.c1, self.c2 = evaluate, direction, c1, c2
        self.start = Point(0, f, g.clone(), slope)
        self.evaluations = self.rounds = 0

    def at(self, t: Any) -> Point:
        self.evaluations += 1
        f, g = self.evaluate(t)
        return Point(t, f, g, g.dot(self.direction))

    def too_high(self, point: Point) -> bool:
        return bool(point.f > self.start.f + self.c1 * point.t * self.start.slope)

    def flat_enough(self, point: Point) -> bool:
        return bool(abs(point.slope) <= -self.c2 * self.start.slope)

    def run(self, t: Any, tolerance: float, limit: int) -> tuple[float, Any, Any, int]:
        ends = self.bracket(t, limit)
        if len(ends) == 2:
            ends = self.zoom(ends, tolerance, limit)
        best = ends[0] if ends[0].f <= ends[-1].f else ends[-1]
        return best.f, best.g, best.t, self.evaluations

    def bracket(self, t: Any, limit: int) -> list[Point]:
        """One point that is good, or two with a good one between them."""
        previous, point = self.start, self.at(t)
        while self.rounds < limit:
            if self.too_high(point) or (self.rounds > 1 and point.f >= previous.f):
                return [previous, point]
            if self.flat_enough(point):
                return [point]
            if point.slope >= 0:
                return [previous, point]
            bounds = (point.t + 0.01 * (point.t - previous.t), point.t * 10)
            t = cubic_minimum(previous, point, bounds)
            previous, point = point, self.at(t)
            self.rounds += 1
        return [self.start, point]

    def zoom(self, ends: list[Point], tolerance: float, limit: int) -> list[Point]:
        """Shrinks the bracket until a point is good; returns the last bracket."""
        largest = self.direction.abs().max()
        low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
        stuck = False
        while self.rounds < limit and not abs(ends[1].t - ends[0].t) * largest < tolerance:
            t, stuck = _inside(cubic_minimum(ends[0], ends[1]), ends, stuck)
            point = self.at(t)
            self.rounds += 1
            if self.too_high(point) or point.f >= ends[low].f:
                ends[high] = point
                low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
                continue
            done = self.flat_enough(point)
            if not done and point.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = point
            if done:
                break
        return [ends[low], ends[high]]


def _inside(t: Any, ends: list[Point], stuck: bool) -> tuple[Any, bool]:
    """`t`, moved a tenth of the bracket away from its end if it was close to it twice."""
    left, right = min(p.t for p in ends), max(p.t for p in ends)
    margin = 0.1 * (right - left)
    if not min(right - t, t - left) < margin:
        return t, False
    if not (stuck or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
