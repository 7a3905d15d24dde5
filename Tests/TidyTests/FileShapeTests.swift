import Testing

@Suite struct `Every file` {
    @Test func `has a plain path, and belongs into git`() {
        #expect(Repository.files.count > 20, "found hardly any file: is \(Repository.root) the repository?")
        let findings = Repository.files.flatMap(FileShape.pathFindings)
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test func `is small`() throws {
        let findings = try Repository.files.flatMap {
            FileShape.sizeFindings($0, bytes: try Repository.bytes($0).count)
        }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test func `is named for what it declares`() throws {
        let findings = try Repository.swiftSources(under: "Sources", "Tests/Simulation")
            .flatMap(FileShape.nameFindings)
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test func `holds no key and no path of one machine`() throws {
        let findings = try Repository.files.flatMap { FileShape.textFindings($0, try Repository.text($0)) }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test(arguments: [
        "Sources/A file.swift", "Sources/_A.swift", "_site/a.html", ".build/a.txt", ".build-release/a.txt",
        "a/b.o", "x/__pycache__/a.py", "clients/ci/ci.key", "a.pem", "id_ed25519", "vendor/lib/a.c",
        "node_modules/a/index.js", "a.jar", "a.tar.gz", "data.mdb", "docs/ä.md", "core", ".DS_Store",
        ".ledger/genesis.xml",
    ])
    func `is refused for its path`(path: String) {
        #expect(!FileShape.pathFindings(path).isEmpty)
    }

    @Test(arguments: [
        "Sources/Ledger/Model/A.swift", ".ci/run", ".swift-format", "Sources/Replication/Core/Replica.swift",
        "docs/decisions/0001-a.md", "Package.swift", "Sources/ledgerd/Dashboard/index.html",
    ])
    func `is taken with a plain path`(path: String) {
        #expect(FileShape.pathFindings(path).isEmpty)
    }

    @Test func `is refused past its size`() {
        #expect(FileShape.sizeFindings("a.swift", bytes: FileShape.swiftFileBytes).isEmpty)
        #expect(!FileShape.sizeFindings("a.swift", bytes: FileShape.swiftFileBytes + 1).isEmpty)
        #expect(FileShape.sizeFindings("a.md", bytes: FileShape.swiftFileBytes + 1).isEmpty)
        #expect(!FileShape.sizeFindings("a.md", bytes: FileShape.fileBytes + 1).isEmpty)
    }

    @Test(arguments: [
        ("A.swift", "struct B {}"), ("A.swift", "// struct A {}\nenum B {}"),
        ("A+Topic.swift", "extension B {}"),
        ("Rules.swift", "extension Array {}"),
        ("Rules.swift", "public struct B { struct C {} }\nextension D {}"),
        ("A.swift", "@unchecked final class AB { class func f() {} }"),
        ("A+Topic.swift", "struct B {}\nstruct C {}"),
    ])
    func `is refused under another name`(file: String, text: String) {
        #expect(!FileShape.nameFindings(SwiftSource(path: "Sources/X/" + file, text: text)).isEmpty)
    }

    @Test(arguments: [
        ("A.swift", "public struct A {}"), ("Ballot.swift", "struct SpoiltBallot {}"),
        ("A.swift", "extension A {}"), ("A+Topic.swift", "extension A {}"),
        ("main.swift", "struct B {}"), ("constants.swift", "let x = 1"),
        ("Host.swift", "extension Plan.Host {}"),
        ("A+Topic.swift", "public enum ATopic {}"),
        ("Numbers.swift", "struct One {}\npublic final class Two {}"),
    ])
    func `is taken under the name of a type, or of the idea of several`(file: String, text: String) {
        #expect(FileShape.nameFindings(SwiftSource(path: "Sources/X/" + file, text: text)).isEmpty)
    }

    @Test func `is refused with a key or a path of one machine`() {
        // Put together here, so that this file itself is clean.
        let dashes = String(repeating: "-", count: 5)
        #expect(!FileShape.textFindings("a.md", "x\n\(dashes)BEGIN PRIVATE KEY\(dashes)\n").isEmpty)
        #expect(!FileShape.textFindings("a.md", "\(dashes)BEGIN RSA PRIVATE KEY\(dashes)").isEmpty)
        for folder in ["home", "Users", "root", "work"] {
            #expect(!FileShape.textFindings("a.md", "see `/\(folder)/me/x`").isEmpty)
        }
        #expect(FileShape.textFindings("a.md", "https://a.example/home/x and /etc/x, home/x").isEmpty)
    }
}
