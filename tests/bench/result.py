"""What a measurement says."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """One figure and what it should be."""

    name: str
    value: float
    unit: str
    target: float | None
    """None where the figure is told without being judged."""
    at_least: bool = False
    """False: the value should be at most the target."""
    details: dict[str, float] = field(default_factory=dict)
    """The figures it is made of, each named with its unit."""

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target
