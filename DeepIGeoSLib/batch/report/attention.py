"""How much a case needs a look: one number from all that speaks for one."""

from __future__ import annotations

from DeepIGeoSLib.batch.quality import AT_THE_BORDER, EMPTY, UNCERTAIN, UNLIKE_TRAINING
from DeepIGeoSLib.batch.record import CaseRecord, State

# From here on a case is listed as one that needs a look.
A_LOOK = 0.3

# How much each flag says.
_WEIGHTS = {EMPTY: 0.8, UNLIKE_TRAINING: 0.5, UNCERTAIN: 0.4, AT_THE_BORDER: 0.35}
_OTHER_FLAG = 0.5

# What full uncertainty would say: as much uncertain volume as segmented one.
_ALL_UNCERTAIN = 0.5


def attention_of(record: CaseRecord) -> float:
    """Return how much a case needs a look, from 0 to 1.

    What speaks for a look is joined as independent reasons are: each takes its share of what the
    others left. A case that failed has 1. Without any flag the uncertain share of the volume and,
    where the truth is known, the distance to it (1 - Dice) put cases in their order.
    """
    if record.state is State.FAILED:
        return 1.0
    reasons = [_WEIGHTS.get(flag, _OTHER_FLAG) for flag in record.flags]
    reasons += [_ALL_UNCERTAIN * uncertain_share(record)]
    reasons += [1 - t.measured.dice for t in record.targets if t.measured is not None]
    calm = 1.0
    for reason in reasons:
        calm *= 1 - min(max(reason, 0.0), 1.0)
    return 1 - calm


def uncertain_share(record: CaseRecord) -> float:
    """Return the uncertain volume as a share of the segmented one, at most 1."""
    uncertain = max((target.uncertain_milliliters for target in record.targets), default=0.0)
    if uncertain <= 0:
        return 0.0
    return min(1.0, uncertain / record.milliliters) if record.milliliters > 0 else 1.0


def needs_a_look(record: CaseRecord) -> bool:
    """Return whether somebody should look at a case before its result is used."""
    return bool(record.flags) or attention_of(record) >= A_LOOK
