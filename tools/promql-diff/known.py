"""Differences that are meant, and why. Each has a name, a reason, the major version that it
ends with, and a test of the question and of what was found."""

import re

KNOWN = [
    (
        "ties of topk, bottomk and limitk",
        "Which of equal values are kept is left open by the documentation, and limitk keeps any. Here the first in "
        "the order of labels stay. Where the selection is the whole question, its values are compared all the same.",
        4, lambda question, found: re.search(r"\b(topk|bottomk|limitk)\b", question),
    ),
    (
        "timestamp with @ and offset",
        "timestamp(x @ 5 offset 1m) forgets the offset in Prometheus.",
        4, lambda question, found: "timestamp(" in question and "@" in question and "offset" in question,
    ),
    (
        "histogram_fraction in the lowest bucket",
        "Prometheus 3.5 takes its lower end for -Inf and answers NaN, although it documents 0.",
        4, lambda question, found: "histogram_fraction" in question
        and ("instead of NaN" in found or "bool" in question),
    ),
    (
        "labels that become equal over a range",
        "Where label_replace or label_join makes series equal that have values in turn, Prometheus to 3.5 refuses and "
        "newer ones merge them.",
        4, lambda question, found: re.search(r"label_(replace|join)", question)
        and "vector cannot contain metrics with the same labelset" in found,
    ),
    (
        "rounding of deviations",
        "The deviation of large values that are near each other has few exact digits, in either program.",
        4, lambda question, found: re.search(r"std(dev|var)", question)
        # An angle of many turns keeps only what is behind the whole ones.
        and near(found, 1e-3 if re.search(r"\b(sin|cos|tan)\(", question) else 1e-6),
    ),
    (
        "deviation of one infinite value",
        "stddev and stdvar of a group with one value are 0 in Prometheus 2, and not-a-number in 3 where the value is "
        "infinite or not a number.",
        3, lambda question, found: re.search(r"std(dev|var)", question)
        and re.search(": NaN instead of|: 0 instead of 1", found),
    ),
    (
        "atan2 keeps the name",
        "Prometheus 2 keeps the metric name with atan2, against its own rule for arithmetic.",
        3, lambda question, found: "atan2" in question,
    ),
    (
        "changing arguments with @",
        "Over a range, Prometheus 2 lets points leave a window that @ holds in its place, where an argument (or, for "
        "predict_linear, the moment) changes with each step.",
        3, lambda question, found: re.search(r"predict_linear|quantile_over_time\(scalar", question)
        and "@" in question,
    ),
    (
        "durations without a unit",
        "A duration is a number of seconds in Prometheus 3, and a number a duration: cuts make the one of the other.",
        3, lambda question, found: re.search(
            "missing unit character in duration|unexpected number .* in off|unexpected duration", found),
    ),
    (
        "holt_winters",
        "The name in Prometheus 2 of double_exponential_smoothing, in a question that was cut.",
        3, lambda question, found: "holt_winters" in question,
    ),
    (
        "labels of absent",
        "Of absent(x{a!=\"1\",a=\"2\"}) Prometheus 2 answers {a=\"2\"}, Prometheus 3 without the label.",
        3, lambda question, found: "absent" in question,
    ),
]



def near(found, relative):
    """Whether two numbers differ by a part of them at most."""
    numbers = re.search(r": (\S+) instead of (\S+)$", found)
    if not numbers:
        return False
    try:
        one, other = float(numbers.group(1)), float(numbers.group(2))
    except ValueError:
        return False
    return abs(one - other) <= relative * max(abs(one), abs(other))


# Differences that the questions stay away from.
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
    for name, _, below, test in KNOWN:
        if major < below and test(question, found):
            return name
    return None
