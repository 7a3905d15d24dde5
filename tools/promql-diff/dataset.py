"""Random series, the same for a seed, in the form of KPI measures and of OpenMetrics."""

import random

# Before a Prometheus 2, sample times and questions never fall on the same millisecond of a second, so that no sample
# lies on the edge of a window: Prometheus 2 counts the left edge in, Prometheus 3 and this engine do not.
QUESTION_MS = 123
START = 1_700_000_000_000  # 2023-11-14T22:13:20Z
HOURS = 3


class Series:
    def __init__(self, name, labels, samples, unit="", shown=None, shown_labels=None):
        self.name, self.labels, self.samples, self.unit = name, labels, samples, unit
        # As Prometheus would call them, by the OpenTelemetry rules.
        self.shown, self.shown_labels = shown or name, shown_labels or labels


def decimal(units, places):
    """units / 10**places as text."""
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(places + 1, "0")
    return sign + (digits[:-places] + "." + digits[-places:] if places else digits)


def times(rng, interval, jitter, gaps, edges):
    """Ascending milliseconds, with gaps that are longer than the lookback now and then."""
    of_second = [0, QUESTION_MS, QUESTION_MS] if edges else [200, 333, 500, 777, 901]
    now = START + rng.randrange(0, interval)
    end = START + HOURS * 3_600_000
    while now < end:
        ms = now // 1000 * 1000 + rng.choice(of_second)
        yield ms
        now += max(1000, interval + rng.randrange(-jitter, jitter + 1))
        if rng.random() < gaps:
            now += rng.randrange(300_000, 1_500_000)


def generate(seed, edges):
    """With edges: also what Prometheus 2 answers otherwise (known.py)."""
    rng = random.Random(seed)
    series = []
    for zone in ("a", "b", "c"):
        for pipeline in ("web", "api"):
            walk = rng.randrange(-50_000, 50_000)
            samples = []
            for t in times(rng, 30_000, 9_000, 0.02, edges):
                walk += rng.randrange(-4_000, 4_001)
                samples.append((t, decimal(walk, 3)))
            series.append(Series("temperature", {"zone": zone, "pipeline": pipeline}, samples))
    for zone in ("a", "b"):
        for code in ("200", "404", "500"):
            count = rng.randrange(0, 2_000) if edges else rng.randrange(1_000_000, 2_000_000)
            samples = []
            for t in times(rng, 20_000, 3_000, 0.01, edges):
                count += rng.randrange(0, 400)
                if rng.random() < 0.02:
                    # Not near zero before a Prometheus 2: see known.py on extrapolation.
                    count = rng.randrange(0, 9_000) if edges else rng.randrange(500_000, 900_000)
                samples.append((t, str(count)))
            series.append(Series("requests_total", {"zone": zone, "code": code, "pipeline": "web"}, samples))
    for pipeline in ("web", "api"):
        for branch in ("main", "dev"):
            samples = [
                (t, decimal(rng.randrange(1_000, 900_000), 2)) for t in times(rng, 400_000, 300_000, 0.1, edges)
            ]
            series.append(
                Series(
                    "cicd.pipeline.run.duration", {"pipeline": pipeline, "vcs.ref.head.name": branch}, samples,
                    unit="s", shown="cicd_pipeline_run_duration_seconds",
                    shown_labels={"pipeline": pipeline, "vcs_ref_head_name": branch}))
    # Small whole numbers: equal values, constant stretches.
    for zone in ("a", "b", "c", "node10", "node9"):
        samples = []
        value = rng.randrange(0, 5)
        for t in times(rng, 60_000, 0, 0.03, edges):
            if rng.random() < 0.3:
                value = rng.randrange(0, 5)
            samples.append((t, str(value)))
        series.append(Series("workers", {"zone": zone, "kind": rng.choice(["x", "y"])}, samples))
    for pipeline in ("web", "api"):
        bounds = ["0.1", "0.5", "1", "2.5", "+Inf"]
        ticks = list(times(rng, 30_000, 0, 0.0, edges))
        counts = [0] * len(bounds)
        rows = []
        for t in ticks:
            for _ in range(rng.randrange(0, 6)):
                low = rng.randrange(0, len(bounds))
                for i in range(low, len(bounds)):
                    counts[i] += 1
            rows.append((t, list(counts)))
        for i, bound in enumerate(bounds):
            series.append(
                Series(
                    "latency_bucket", {"pipeline": pipeline, "le": bound},
                    [(t, str((0 if edges else 1_000_000 * (i + 1)) + row[i])) for t, row in rows]))
    for label in ({"zone": "a"}, {}):
        samples = [(t, decimal(rng.randrange(-10**9, 10**9), 9)) for t in times(rng, 45_000, 15_000, 0.05, edges)]
        series.append(Series("tiny", label, samples))
    return series


def openmetrics(series):
    by_name = {}
    for one in series:
        by_name.setdefault(one.shown, []).append(one)
    lines = []
    for name, members in by_name.items():
        lines.append(f"# TYPE {name} unknown")
        for one in members:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(one.shown_labels.items()))
            for t, value in one.samples:
                lines.append(f"{name}{{{labels}}} {value} {t // 1000}.{t % 1000:03d}")
    return "\n".join(lines) + "\n# EOF\n"
