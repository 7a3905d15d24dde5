import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `A response of the Prometheus API` {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `is the same to the byte`() throws {
        let store = try StoreFixture([
            feed(0, [measure("a.b", unit: "s", ["x": "q\"<\\é\n"], at: 1_435_781_430_781, "312.5")]),
            feed(1, [measure("a.b", unit: "s", ["x": "q\"<\\é\n"], at: 1_435_781_431_000, "0.00000001")]),
        ])
        let metric = #"{"__name__":"a_b_seconds","x":"q\"<\\é\n"}"#
        let engine = store.engine
        let at = try time(1_435_781_431_250)
        #expect(
            text(PrometheusJSON.response(try engine.instant("a_b_seconds", at: at)))
                == #"{"status":"success","data":{"resultType":"vector","result":[{"metric":\#(metric),"value":[1435781431.250,"1e-08"]}]}}"#
        )
        #expect(
            text(PrometheusJSON.response(try engine.instant("a_b_seconds[1m]", at: at)))
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":\#(metric),"values":[[1435781430.781,"312.5"],[1435781431,"1e-08"]]}]}}"#
        )
        #expect(
            text(PrometheusJSON.response(try engine.instant("1e-9 / 3", at: at)))
                == #"{"status":"success","data":{"resultType":"scalar","result":[1435781431.25,"0.00000000033333333333333337"]}}"#
        )
        #expect(
            text(PrometheusJSON.response(try engine.instant("'a<b'", at: at)))
                == #"{"status":"success","data":{"resultType":"string","result":[1435781431.25,"a\u003cb"]}}"#
        )
        #expect(
            text(PrometheusJSON.response(try engine.instant("nothing", at: at)))
                == #"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
        #expect(
            text(
                PrometheusJSON.response(
                    try engine.range("1", from: time(0), through: time(500), stepMilliseconds: 500)))
                == #"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[0.500,"1"]]}]}}"#
        )
        #expect(
            text(PrometheusJSON.response(series: try engine.series(["a_b_seconds"])))
                == #"{"status":"success","data":[\#(metric)]}"#)
        #expect(text(PrometheusJSON.response(texts: [])) == #"{"status":"success","data":[]}"#)
        #expect(
            text(PrometheusJSON.response(texts: ["a", "b&"]))
                == #"{"status":"success","data":["a","b\u0026"]}"#)
        #expect(
            text(PrometheusJSON.response(metadata: engine.metadata()))
                == #"{"status":"success","data":{"a_b_seconds":[{"type":"gauge","help":"a.b","unit":"seconds"}]}}"#
        )
        let error = #expect(throws: QueryError.self) { try Parser.expression("foo +") }
        #expect(
            text(PrometheusJSON.response(error: try #require(error)))
                == #"{"status":"error","errorType":"bad_data","error":"1:6: parse error: unexpected end of input"}"#
        )
    }

    @Test(arguments: [
        (0.0, "0", "0"), (-0.0, "-0", "-0"), (1, "1", "1"), (0.1, "0.1", "0.1"), (-12.5, "-12.5", "-12.5"),
        (1e20, "100000000000000000000", "100000000000000000000"), (1e21, "1000000000000000000000", "1e+21"),
        (1.25e22, "12500000000000000000000", "1.25e+22"), (1e-6, "0.000001", "0.000001"),
        (1.5e-7, "0.00000015", "1.5e-07"), (123456789.125, "123456789.125", "123456789.125"),
        (9007199254740992, "9007199254740992", "9007199254740992"),
        (1e16, "10000000000000000", "10000000000000000"),
        (.infinity, "+Inf", "+Inf"), (-.infinity, "-Inf", "-Inf"), (.nan, "NaN", "NaN"),
        (1e100, "1" + String(repeating: "0", count: 100), "1e+100"),
        (Double.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5", "5e-324"),
        (0.3, "0.3", "0.3"),
    ])
    func `writes numbers as Go does`(_ value: Double, _ fixed: String, _ sample: String) {
        #expect(FloatText.fixed(value) == fixed)
        #expect(FloatText.sample(value) == sample)
    }

    @Test func `writes numbers that read back as themselves`() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<3000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            #expect(Double(FloatText.fixed(value)) == value)
            #expect(Double(FloatText.sample(value)) == value)
        }
    }

    @Test func `rounds exact sums once, to the nearest double`() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<3000 {
            let nanos =
                Int128(Int64(bitPattern: generator.next()))
                * Int128(generator.pick([1, 7, 1 << 40, 1_000_000_000]))
            // strtod rounds correctly.
            let digits = String(nanos.magnitude)
            let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
            let text = (nanos < 0 ? "-" : "") + padded.dropLast(9) + "." + padded.suffix(9)
            #expect(ExactSum.double(nanos: nanos) == Double(text), "\(text)")
            // One division of two exact doubles rounds correctly.
            let small = Int64.random(in: -(1 << 53)...1 << 53, using: &generator)
            let count = UInt64.random(in: 1...(1 << 20), using: &generator)
            #expect(
                ExactSum.mean(nanos: Int128(small), count: count) == Double(small)
                    / Double(count * 1_000_000_000))
        }
        #expect(ExactSum.double(nanos: .max).isFinite)
        #expect(ExactSum.double(nanos: .min) == -ExactSum.double(nanos: .max))
        #expect(ExactSum.mean(nanos: .max, count: .max).isFinite)
        #expect(ExactSum.mean(nanos: 1, count: .max) > 0)
        #expect(try #require(Quantity("999999999999999999")).double == 1e18)
        #expect(try #require(Quantity("0.3")).double == 0.3)
    }
}
