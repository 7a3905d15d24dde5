"""Differences that are meant, and why. Each has a name, a reason, and a test of the question and of what was found."""

import re

KNOWN = [
    (
        "deviation of one infinite value",
        "stddev and stdvar of a group with one value are 0 in Prometheus 2, and not-a-number in 3 where the value is "
        "infinite or not a number.",
        lambda question, found: re.search(r"std(dev|var)", question) and ": NaN instead of 0" in found,
    ),
    (
        "atan2 keeps the name",
        "Prometheus 2 keeps the metric name with atan2, against its own rule for arithmetic.",
        lambda question, found: "atan2" in question,
    ),
    (
        "predict_linear with @",
        "Over a range, Prometheus 2 lets points leave a window that @ holds in its place.",
        lambda question, found: "predict_linear" in question and "@" in question,
    ),
    (
        "durations without a unit",
        "A duration that a cut robbed of its unit is a number of seconds in Prometheus 3.",
        lambda question, found: "missing unit character in duration" in found,
    ),
    (
        "timestamp with @ and offset",
        "Prometheus 2 looks at another moment for timestamp of a selector with both.",
        lambda question, found: "timestamp(" in question and "@" in question and "offset" in question,
    ),
]
AVOIDED = [
    "left edges: Prometheus 2 counts a sample on the left edge of a window, Prometheus 3 does not. Questions, window "
    "lengths and steps fall on milliseconds that no sample has.",
    "extrapolation to zero: where a counter begins near zero, Prometheus 3 limits the way to the zero point after the "
    "rule of half an interval, Prometheus 2 before it. Counters of the data never come near zero, and rate and "
    "increase are asked of counters alone.",
    "quoted names, numbers such as 1_000 and 5m, ranges without a unit, double_exponential_smoothing: the peer gets "
    "what it understands (grammar.py).",
    "mad_over_time, first_over_time, sort_by_label and others that Prometheus 2 has not are compared only with a peer "
    "of version 3.",
]


def name(major, question, found):
    """The known difference that explains what was found, or None."""
    if major >= 3:
        return None
    for name, _, test in KNOWN:
        if test(question, found):
            return name
    return None
