import Foundation
import Ledger
import Query

/// How samples are written for other programs: exact decimals, a sample a line.
enum ExportFormat: String, Sendable, CaseIterable {
    case csv
    case ndjson

    var mediaType: String {
        switch self {
        case .csv: "text/csv; charset=utf-8; header=present"
        case .ndjson: "application/x-ndjson"
        }
    }

    var head: [UInt8] {
        switch self {
        case .csv: Array("name,unit,labels,time,value,entry\r\n".utf8)
        case .ndjson: []
        }
    }

    func lines(_ page: SampleExport.Page) throws -> [UInt8] {
        let series = page.series
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        let labels = try json(
            Dictionary(series.labels.map { ($0.name, $0.value) }) { first, _ in first })
        var bytes: [UInt8] = []
        switch self {
        case .csv:
            let fields = [series.name, series.unit, labels].map(TextTable.field).joined(separator: ",")
            for sample in page.samples {
                bytes += "\(fields),\(Self.time(sample)),\(sample.value),\(sample.index)\r\n".utf8
            }
        case .ndjson:
            let start =
                "{\"name\":\(try json(series.name)),\"unit\":\(try json(series.unit)),\"labels\":\(labels)"
            for sample in page.samples {
                bytes +=
                    "\(start),\"time\":\"\(Self.time(sample))\",\"value\":\"\(sample.value)\",\"entry\":\(sample.index)}\n"
                    .utf8
            }
        }
        return bytes
    }

    private static func time(_ sample: Sample) -> String {
        // A document's times are all of the years 0001 to 9999.
        Timestamp(milliseconds: sample.time)?.description ?? "\(sample.time)"
    }
}
