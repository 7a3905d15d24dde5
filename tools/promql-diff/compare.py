"""Whether two answers say the same."""

import math

RELATIVE = 1e-9
# Where large values cancel out, the error that both have a right to is one of the operands, not of the result.
ABSOLUTE = 1e-6


def number(text):
    return float(text.replace("Inf", "inf").replace("NaN", "nan"))


def same(one, other):
    a, b = number(one), number(other)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= max(RELATIVE * max(abs(a), abs(b)), ABSOLUTE)


def key(metric):
    return tuple(sorted(metric.items()))


def points(one):
    return one["values"] if "values" in one else [one["value"]]


def by_value(series):
    return sorted(series, key=lambda one: (number(one["value"][1]), key(one["metric"])))


def difference(ours, theirs, ordered, question):
    """None, or what differs first."""
    if ours["status"] != theirs["status"]:
        return f"{brief(ours)} instead of {brief(theirs)}"
    if ours["status"] == "error":
        if ours["errorType"] != theirs["errorType"]:
            return f"error {ours['errorType']} instead of {theirs['errorType']}: {theirs['error']}"
        return None
    ours, theirs = ours["data"], theirs["data"]
    if ours["resultType"] != theirs["resultType"]:
        return f"{ours['resultType']} instead of {theirs['resultType']}"
    if ours["resultType"] == "string":
        return None if ours["result"] == theirs["result"] else "another text"
    if ours["resultType"] == "scalar":
        a, b = ours["result"], theirs["result"]
        if float(a[0]) != float(b[0]) or not same(a[1], b[1]):
            return f"{a} instead of {b}"
        return None
    a, b = ours["result"], theirs["result"]
    if ordered and [key(s["metric"]) for s in a] != [key(s["metric"]) for s in b]:
        # Equal values may stand in any order.
        if any(not same(x["value"][1], y["value"][1]) for x, y in zip(a, b)) or len(a) != len(b):
            return f"another order: {[s['metric'] for s in a]} instead of {[s['metric'] for s in b]}"
    if ordered and question.startswith(("topk", "bottomk", "limitk")):
        # Of equal values, or of any for limitk, it is left open which are kept: their values must agree.
        if len(a) == len(b) and (question.startswith("limitk") or all(
            same(x["value"][1], y["value"][1]) for x, y in zip(by_value(a), by_value(b)))):
            return None
    mine = {key(s["metric"]): points(s) for s in a}
    other = {key(s["metric"]): points(s) for s in b}
    for labels in mine.keys() | other.keys():
        if labels not in other:
            return f"{dict(labels)} is not in the answer of Prometheus"
        if labels not in mine:
            return f"{dict(labels)} is missing"
        left = {float(t): v for t, v in mine[labels]}
        right = {float(t): v for t, v in other[labels]}
        for t in sorted(left.keys() | right.keys()):
            if t not in left or t not in right or not same(left[t], right[t]):
                return f"{dict(labels)} at {t}: {left.get(t)} instead of {right.get(t)}"
    return None


def brief(answer):
    if answer["status"] == "error":
        return f"error {answer['errorType']} ({answer['error']})"
    return f"success with {str(answer['data'])[:200]}"
