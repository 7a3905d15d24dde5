import Testing

/// The C libraries, each in a folder of its own: what its module map links, and what its shim includes.
private let libraries: [String: (link: String, headers: [String])] = [
    "CLMDB": ("lmdb", ["lmdb.h"]),
    "COpenSSL": ("crypto", ["openssl/"]),
    "CLibXML2": ("xml2", ["libxml/"]),
]

private let standardHeaders: Set<String> = [
    "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "errno.h",
]

/// - Parameter text: A module map, `Sources/CLMDB/module.modulemap`.
private func moduleMapFindings(path: String, text: String) -> [Finding] {
    let folder = String(path.split(separator: "/").dropLast().last ?? "")
    guard path == "Sources/\(folder)/module.modulemap", let library = libraries[folder] else {
        return [Finding(path: path, line: 0, reason: "a C library that no rule knows")]
    }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    let expected = [
        "module", folder, "[system]", "{", "header", "\"shim.h\"", "link", "\"\(library.link)\"", "export",
        "*", "}",
    ]
    return words == expected
        ? [] : [Finding(path: path, line: 0, reason: "expected `\(expected.joined(separator: " "))`")]
}

/// - Parameter text: The shim beside it, `Sources/CLMDB/shim.h`.
private func shimFindings(path: String, text: String) -> [Finding] {
    let folder = String(path.split(separator: "/").dropLast().last ?? "")
    guard let library = libraries[folder] else {
        return [Finding(path: path, line: 0, reason: "a C library that no rule knows")]
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().compactMap { number, line in
        let words = line.split(whereSeparator: { " \t<>\"".contains($0) })
        guard
            let directive = words.firstIndex(where: { $0 == "#include" || $0 == "include" || $0 == "#import" }
            )
        else {
            return nil
        }
        guard words.first?.hasPrefix("#") == true, directive + 1 < words.count else { return nil }
        let header = String(words[directive + 1])
        if standardHeaders.contains(header) || library.headers.contains(where: header.hasPrefix) {
            return nil
        }
        return Finding(
            path: path, line: number + 1, reason: "\(folder) includes \(header) of another library")
    }
}

@Suite struct `A C library's module` {
    @Test func `is one of the three, and nothing but itself`() throws {
        let maps = Repository.files.filter { $0.hasSuffix(".modulemap") }
        #expect(maps.count == libraries.count)
        let headers = Repository.files.filter { $0.hasPrefix("Sources/") && $0.hasSuffix(".h") }
        let findings =
            try maps.flatMap { moduleMapFindings(path: $0, text: try Repository.text($0)) }
            + headers.flatMap { shimFindings(path: $0, text: try Repository.text($0)) }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test(arguments: [
        (
            "Sources/CLMDB/module.modulemap",
            "module CLMDB [system] { header \"shim.h\" link \"crypto\" export * }"
        ),
        ("Sources/CLMDB/module.modulemap", "module CLMDB { header \"shim.h\" link \"lmdb\" export * }"),
        (
            "Sources/CLMDB/module.modulemap",
            "module COpenSSL [system] { header \"shim.h\" link \"lmdb\" export * }"
        ),
        (
            "Sources/CLMDB/module.modulemap",
            "module CLMDB [system] { header \"shim.h\" header \"other.h\" link \"lmdb\" export * }"
        ),
        ("Sources/CZlib/module.modulemap", "module CZlib [system] { header \"shim.h\" link \"z\" export * }"),
        ("Sources/Ledger/Storage/module.modulemap", "module CLMDB [system] { header \"shim.h\" }"),
    ])
    func `is refused when it is another's`(path: String, text: String) {
        #expect(!moduleMapFindings(path: path, text: text).isEmpty)
    }

    @Test func `includes no header of another library`() {
        #expect(
            shimFindings(path: "Sources/CLMDB/shim.h", text: "#include <lmdb.h>\n#include <string.h>\n")
                .isEmpty)
        #expect(
            shimFindings(path: "Sources/CLMDB/shim.h", text: "#include <lmdb.h>\n#include <openssl/evp.h>")
                == [
                    Finding(
                        path: "Sources/CLMDB/shim.h", line: 2,
                        reason: "CLMDB includes openssl/evp.h of another library")
                ])
        #expect(!shimFindings(path: "Sources/COpenSSL/shim.h", text: "# include \"libxml/tree.h\"").isEmpty)
    }
}
