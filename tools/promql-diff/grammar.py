"""Random expressions of the whole language, each in the spelling of Prometheus 3 and in that of its peer."""

import re

MAP = (
    "abs ceil floor exp ln log2 log10 sqrt sgn sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh deg rad"
).split()
DATES = "minute hour day_of_week day_of_month day_of_year days_in_month month year".split()
OVER_TIME = (
    "avg_over_time min_over_time max_over_time sum_over_time count_over_time stddev_over_time stdvar_over_time "
    "last_over_time present_over_time rate irate increase delta idelta changes resets deriv"
).split()
# Since which version.
NEW_OVER_TIME = {
    "mad_over_time": (3, 0), "ts_of_last_over_time": (3, 5), "ts_of_min_over_time": (3, 5),
    "ts_of_max_over_time": (3, 5), "first_over_time": (3, 7), "ts_of_first_over_time": (3, 7),
}
AGGREGATORS = "sum avg min max count group stddev stdvar".split()
LABELS = ["zone", "pipeline", "code", "le", "kind", "vcs_ref_head_name", "nothing"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]

METRICS = {
    "temperature": {"zone": ["a", "b", "c"], "pipeline": ["web", "api"]},
    "requests_total": {"zone": ["a", "b"], "code": ["200", "404", "500"], "pipeline": ["web"]},
    "cicd_pipeline_run_duration_seconds": {
        "pipeline": ["web", "api"], "vcs_ref_head_name": ["main", "dev"]},
    "workers": {"zone": ["a", "b", "c", "node10", "node9"], "kind": ["x", "y"]},
    "latency_bucket": {"pipeline": ["web", "api"], "le": ["0.1", "0.5", "1", "2.5", "+Inf"]},
    "tiny": {"zone": ["a"]},
    "absent_metric": {"zone": ["a"]},
}
OTEL = {"cicd_pipeline_run_duration_seconds": "cicd.pipeline.run.duration", "vcs_ref_head_name": "vcs.ref.head.name"}


class Pair:
    """An expression for us, and the same for the peer."""

    def __init__(self, ours, theirs=None):
        self.ours, self.theirs = ours, ours if theirs is None else theirs

    def __str__(self):
        raise TypeError("use join()")


def join(*parts):
    return Pair(
        "".join(p.ours if isinstance(p, Pair) else p for p in parts),
        "".join(p.theirs if isinstance(p, Pair) else p for p in parts))


class Grammar:
    def __init__(self, rng, start_ms, hours, version):
        self.rng, self.start, self.hours, self.major = rng, start_ms, hours, version[0]
        self.new_over_time = [f for f in NEW_OVER_TIME if version >= NEW_OVER_TIME[f]]

    def spelled(self, ours, old):
        """What Prometheus 3 understands, and Prometheus 2 under another spelling only."""
        return Pair(ours, old if self.major < 3 else ours)

    # Leaves

    def duration(self, low=30, high=3600):
        # Whole seconds: window edges never meet a sample.
        seconds = self.rng.choice([30, 60, 90, 300, 300, 600, 1200, 1800, 3600])
        return max(low, min(high, seconds))

    def duration_text(self, seconds):
        minutes, rest = divmod(seconds, 60)
        spellings = [f"{seconds}s"]
        if rest == 0:
            spellings.append(f"{minutes}m")
        if minutes and rest:
            spellings.append(f"{minutes}m{rest}s")
        text = self.rng.choice(spellings)
        # A plain number of seconds is new in Prometheus 3.
        if self.rng.random() < 0.1:
            return self.spelled(str(seconds), text)
        return Pair(text)

    def number(self):
        kind = self.rng.random()
        if kind < 0.5:
            return Pair(str(self.rng.choice([0, 1, 2, 3, 0.5, 10, 100, -1, 1.5, 0.1, 1e3])))
        if kind < 0.6:
            return Pair(self.rng.choice(["0x1F", "1e-3", "2.5E2", ".25", "017", "Inf", "+Inf", "-Inf", "NaN", "inf"]))
        if kind < 0.7:
            return self.spelled(
                *self.rng.choice([("1_000", "1000"), ("5m", "300"), ("1h30m", "5400"), ("10ms", "0.01")]))
        return Pair(f"{self.rng.uniform(-50, 50):.3f}")

    def matcher(self, metric):
        labels = METRICS[metric]
        name = self.rng.choice(list(labels))
        value = self.rng.choice(labels[name])
        kind = self.rng.random()
        if kind < 0.4:
            text = f'="{value}"'
        elif kind < 0.6:
            text = f'!="{value}"'
        elif kind < 0.8:
            other = self.rng.choice(labels[name])
            text = '=~"' + self.rng.choice(
                [
                    re.escape(value), f"{re.escape(value)}|{re.escape(other)}", ".*", ".+", "[a-z0-9.]+",
                    "(?i:A|B|WEB)", "w.*|.*e", r"\p{Ll}+", r"[\p{Nd}\PL]+", r"(?i)\p{Lu}+", r"\P{Latin}*", r"\p{^Zs}.",
                ]
            ).replace("\\", "\\\\") + '"'
        elif kind < 0.95:
            text = '!~"' + self.rng.choice([re.escape(value).replace("\\", "\\\\"), "zzz.*", ".{2,3}"]) + '"'
        else:
            return Pair('nothing=""')
        if name in OTEL and self.rng.random() < 0.5:
            return Pair(f'"{OTEL[name]}"{text}', f"{name}{text}")
        if self.rng.random() < 0.1:
            return self.spelled(f'"{name}"{text}', f"{name}{text}")
        return Pair(name + text)

    def bare_selector(self, metrics=None):
        metric = self.rng.choice(metrics or [m for m in METRICS for _ in range(1 if m == "absent_metric" else 6)])
        matchers = [self.matcher(metric) for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2]))]
        inner = [p for m in matchers for p in (m, ",")][:-1]
        style = self.rng.random()
        if style < 0.1:
            quoted = Pair(f'"{OTEL.get(metric, metric)}"', f'__name__="{metric}"')
            return join("{", quoted, *([","] + inner if inner else []), "}")
        if style < 0.15:
            return join('{__name__=~"', metric, '",', *inner, "}")
        return join(metric, "{", *inner, "}") if inner or self.rng.random() < 0.2 else Pair(metric)

    def modifiers(self):
        parts = []
        if self.rng.random() < 0.2:
            parts.append(join(" offset ", self.rng.choice(["", "", "-"]), self.duration_text(self.duration())))
        if self.rng.random() < 0.12:
            at = self.start // 1000 + self.rng.randrange(0, self.hours * 3600)
            parts.append(Pair(" @ " + self.rng.choice([str(at), f"{at}.123", "start()", "end()"])))
        self.rng.shuffle(parts)
        return join(*parts)

    def selector(self):
        return join(self.bare_selector(), self.modifiers())

    def matrix(self, depth, metrics=None):
        if depth > 0 and metrics is None and self.rng.random() < 0.25:
            # Steps fall on whole seconds; 7 ms keep them off the left edge, which Prometheus 2 counts in.
            seconds = self.duration(300)
            step = self.rng.choice(["", "30s", "1m", "77s", "5m"])
            inner = self.vector(depth - 1)
            edge = "7ms" if self.major < 3 else ""
            return join("(", inner, f")[{seconds}s{edge}:{step}]", self.modifiers())
        return join(self.bare_selector(metrics), "[", self.duration_text(self.duration()), "]", self.modifiers())

    # Vectors

    def vector(self, depth):
        if depth <= 0:
            return self.selector()
        weights = [
            (self.selector, 2), (lambda: self.over_time(depth), 6), (lambda: self.aggregation(depth), 5),
            (lambda: self.mapped(depth), 3), (lambda: self.binary(depth), 6), (lambda: self.labelled(depth), 1.5),
            (lambda: self.special(depth), 2.5), (lambda: join("(", self.vector(depth - 1), ")"), 0.5),
            (lambda: join(self.rng.choice(["-", "+"]), self.vector(depth - 1)), 0.7),
        ]
        return self.rng.choices([w[0] for w in weights], [w[1] for w in weights])[0]()

    def over_time(self, depth):
        kind = self.rng.random()
        if kind < 0.1:
            rank = self.rng.choice(["0.5", "0.95", "0", "1", "0.33", "-1", "2", "NaN"])
            rank = join("scalar(", self.vector(0), ")") if self.rng.random() < 0.1 else Pair(rank)
            return join("quantile_over_time(", rank, ", ", self.matrix(depth), ")")
        if kind < 0.15:
            return join("predict_linear(", self.matrix(depth), ", ", self.rng.choice(["600", "3600", "-60"]), ")")
        if kind < 0.2:
            factors = self.rng.choice(["0.5, 0.5", "0.1, 0.9", "0.3, 0.7", "1, 0.5"])
            arguments = join("(", self.matrix(depth), ", ", factors, ")")
            return join(self.spelled("double_exponential_smoothing", "holt_winters"), arguments)
        if kind < 0.24:
            return join("absent_over_time(", self.matrix(depth), ")")
        if kind < 0.29 and self.new_over_time:
            return join(self.rng.choice(self.new_over_time), "(", self.matrix(depth), ")")
        function = self.rng.choice(OVER_TIME)
        # See the known difference on extrapolation to zero.
        metrics = ["requests_total", "latency_bucket"] if function in ("rate", "increase") and self.major < 3 else None
        # The last bit of what is computed decides whether it changes.
        depth = 0 if function in ("changes", "resets") else depth
        return join(function, "(", self.matrix(depth, metrics), ")")

    def grouping(self):
        labels = ", ".join(self.rng.sample(LABELS, self.rng.choice([0, 1, 1, 2])))
        return self.rng.choice(["", f" by ({labels})", f" by ({labels})", f" without ({labels})"])

    def aggregation(self, depth):
        grouping, inner = self.grouping(), self.vector(depth - 1)
        kind = self.rng.random()
        if kind < 0.7:
            aggregator = self.rng.choice(AGGREGATORS)
            if self.rng.random() < 0.3:
                return join(aggregator, "(", inner, ")", grouping)
            return join(aggregator, grouping, " (", inner, ")")
        if kind < 0.85:
            count = self.rng.choice(["1", "2", "3", "0", "-1", "1.9", "100"])
            selectors = ["topk", "bottomk"] if self.major < 3 else ["topk", "bottomk", "limitk"]
            return join(self.rng.choice(selectors), grouping, f" ({count}, ", inner, ")")
        if kind < 0.95:
            rank = self.rng.choice(["0.5", "0.9", "0", "1", "1.5", "-0.1"])
            return join("quantile", grouping, f" ({rank}, ", inner, ")")
        label = self.rng.choice(["value", "zone"])
        return join("count_values", grouping, f' ("{label}", ', self.integers(), ")")

    def integers(self):
        """Values whose text does not depend on the last bit."""
        return Pair(
            self.rng.choice(["workers", "count by (zone) (temperature)", "workers * 2", "changes(workers[10m])"]))

    def mapped(self, depth):
        kind = self.rng.random()
        if kind < 0.5:
            return join(self.rng.choice(MAP), "(", self.vector(depth - 1), ")")
        if kind < 0.6:
            return join("round(", self.smooth(), self.rng.choice(["", ", 0.5", ", 10", ", 0.1"]), ")")
        if kind < 0.75:
            function = self.rng.choice(["clamp_min", "clamp_max"])
            return join(function, "(", self.vector(depth - 1), ", ", self.scalar(0), ")")
        if kind < 0.82:
            return join("clamp(", self.vector(depth - 1), ", ", self.scalar(0), ", ", self.scalar(0), ")")
        if kind < 0.95:
            argument = self.rng.choice(
                [
                    Pair(""), join("timestamp(", self.selector(), ")"), Pair("vector(time())"),
                    Pair(self.rng.choice(["workers", "requests_total"]) + " * 100000"),
                ])
            return join(self.rng.choice(DATES), "(", argument, ")")
        return join("timestamp(", self.vector(depth - 1), ")")

    def smooth(self):
        """Values that no rounding carries over a step."""
        return join(self.bare_selector(["temperature", "requests_total", "workers"]), " * 1.0001")

    def matching(self):
        kind = self.rng.random()
        if kind < 0.35:
            return ""
        labels = ", ".join(self.rng.sample(LABELS[:5], self.rng.choice([0, 1, 1, 2])))
        return f" {self.rng.choice(['on', 'ignoring'])} ({labels})"

    def binary(self, depth):
        kind = self.rng.random()
        if kind < 0.3:
            operator = self.rng.choice(ARITHMETIC + COMPARISONS)
            bool_ = " bool" if operator in COMPARISONS and self.rng.random() < 0.4 else ""
            sides = [join("(", self.vector(depth - 1), ")"), join("(", self.scalar(depth - 1), ")")]
            self.rng.shuffle(sides)
            return join(sides[0], f" {operator}{bool_} ", sides[1])
        if kind < 0.5:
            return join(
                "(", self.vector(depth - 1), ") ", self.rng.choice(["and", "or", "unless"]), self.matching(), " (",
                self.vector(depth - 1), ")")
        operator = self.rng.choice(ARITHMETIC + COMPARISONS)
        bool_ = " bool" if operator in COMPARISONS and self.rng.random() < 0.4 else ""
        matching = self.matching()
        if self.rng.random() < 0.5:
            # Sides that match.
            label = self.rng.choice(["zone", "pipeline"])
            one = join(self.rng.choice(AGGREGATORS), f" by ({label}) (", self.vector(depth - 1), ")")
            if self.rng.random() < 0.5:
                many = join(self.rng.choice(AGGREGATORS), f" by ({label}) (", self.vector(depth - 1), ")")
                return join(many, f" {operator}{bool_} ", one)
            include = self.rng.choice(["", "()", "(kind)", "(code)", "(nothing)"])
            if self.rng.random() < 0.7:
                return join("(", self.vector(depth - 1), f") {operator}{bool_} on ({label}) group_left {include} ", one)
            return join(one, f" {operator}{bool_} on ({label}) group_right {include} (", self.vector(depth - 1), ")")
        if matching and self.rng.random() < 0.3:
            matching += self.rng.choice([" group_left ()", " group_right ()", " group_left (kind)"])
        return join("(", self.vector(depth - 1), f") {operator}{bool_}{matching} (", self.vector(depth - 1), ")")

    def labelled(self, depth):
        inner = self.vector(depth - 1)
        if self.rng.random() < 0.7:
            source = self.rng.choice(LABELS)
            pattern, template = self.rng.choice([
                ("(.*)", "$1"), ("(.)(.*)", "$2-$1"), ("(?P<x>[a-z]+).*", "${x}y"), ("a|b", "ab"), ("", "empty"),
                ("(a+?)(.*)", "$1|$2"), ("(.*?)(e|b)?", "<$1>"), ("zzz", "$1"), ("(.*)", "$1$$"), (".*", "")])
            target = self.rng.choice(LABELS + ["new", "new", "__name__"])
            return join("label_replace(", inner, f', "{target}", "{template}", "{source}", "{pattern}")')
        sources = "".join(f', "{l}"' for l in self.rng.sample(LABELS, self.rng.choice([0, 1, 2, 3])))
        return join("label_join(", inner, f', "{self.rng.choice(["joined", "zone"])}", "-"{sources})')

    def special(self, depth):
        kind = self.rng.random()
        if kind < 0.3:
            rank = self.rng.choice(["0.5", "0.9", "0.99", "0", "1", "-1", "2"])
            inner = self.rng.choice(
                ["latency_bucket", "rate(latency_bucket[10m])", "sum by (le) (latency_bucket)",
                 "sum by (le, pipeline) (increase(latency_bucket[5m]))", 'latency_bucket{le!="+Inf"}', "temperature",
                 'latency_bucket{le!="0.5"}'])
            if self.major >= 3 and self.rng.random() < 0.3:
                bounds = self.rng.choice(["0, 1", "0.2, 0.7", "-Inf, 0.5", "1, +Inf", "3, 2"])
                return Pair(f"histogram_fraction({bounds}, {inner})")
            return join(f"histogram_quantile({rank}, {inner})")
        if kind < 0.5:
            return join("absent(", self.selector(), ")")
        if kind < 0.65:
            return join("vector(", self.scalar(depth - 1), ")")
        if kind < 0.75 and self.major >= 3:
            function = self.rng.choice(["sort_by_label", "sort_by_label_desc"])
            return join(function, "(", self.vector(depth - 1), ', "zone")')
        return join(self.rng.choice(["sort", "sort_desc"]), "(", self.vector(depth - 1), ")")

    # Scalars

    def scalar(self, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.5:
            return self.number()
        if kind < 0.65:
            return Pair(self.rng.choice(["time()", "pi()"]))
        if kind < 0.8:
            return join("scalar(", self.vector(depth - 1), ")")
        operator = self.rng.choice(ARITHMETIC + COMPARISONS)
        bool_ = " bool" if operator in COMPARISONS else ""
        return join("(", self.scalar(depth - 1), f" {operator}{bool_} ", self.scalar(depth - 1), ")")

    def expression(self):
        kind = self.rng.random()
        depth = self.rng.choice([1, 1, 2, 2, 3])
        if kind < 0.9:
            return self.vector(depth), "vector"
        if kind < 0.95:
            return self.scalar(depth), "scalar"
        if kind < 0.98:
            return self.matrix(depth), "matrix"
        return Pair('"a text"'), "string"

    def broken(self, pair, rng):
        """The expression with a piece cut out: most are no expressions any more."""
        # Of the peer's spelling, since what is left over of ours might be right for us alone.
        text = pair.theirs
        place = rng.randrange(0, len(text))
        return Pair(text[:place] + text[place + rng.randrange(1, 4):])
