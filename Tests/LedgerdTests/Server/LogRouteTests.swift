import Foundation
import Ledger
import NIOHTTP1
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `The log over HTTPS` {
    @Test func `is empty at first`() async throws {
        try await ServedNode.run { served in
            let checkpoint = try await served.caller.get("/checkpoint")
            #expect(checkpoint.problem == "no-checkpoint")
            for path in ["/tile/0/000", "/tile/0/000.p/1", "/tile/entries/000.p/1"] {
                #expect(try await served.caller.get(path).status == 404)
            }
            #expect(try await served.caller.get("/v1/consistency").problem == "bad-parameter")
            let blocks = try await served.caller.get("/v1/blocks")
            #expect(blocks.text.split(separator: "\n").count == 1)
            struct Nodes: Decodable {
                let size: Int
                let quorum: Int
                let ledgerID: String
            }
            let nodes = try await served.caller.get("/v1/nodes").json(as: Nodes.self)
            #expect(nodes.size == 0)
            #expect(nodes.quorum == 1)
            let genesis = try await served.caller.get("/v1/genesis")
            #expect(genesis.headers["content-type"] == ["application/xml"])
            #expect(Digest.sha256(genesis.body).description == nodes.ledgerID)
            let policy = try await served.caller.get("/v1/policy")
            #expect(try Policy(parsing: policy.body).text == served.node.directory.policy.text)
            #expect(try await served.caller.get("/v1/policy?epoch=1").status == 404)
            #expect(try await served.caller.get("/v1/policy?epoch=x").problem == "bad-parameter")
        }
    }

    @Test func `proves itself to whoever reads it`() async throws {
        try await ServedNode.run { served in
            let session = try served.ledger.session()
            try await served.append(session.submission)
            var notes: [CheckpointNote] = []
            for number in 1..<300 {
                try await served.append(try served.ledger.document(id: "\(number)", in: session))
                if number % 40 == 0 {
                    notes.append(try CheckpointNote(parsing: try await served.caller.get("/checkpoint").body))
                }
            }
            let answer = try await served.caller.get("/checkpoint")
            #expect(answer.headers["content-type"] == ["text/plain; charset=utf-8"])
            let newest = try CheckpointNote(parsing: answer.body)
            _ = try served.node.directory.policy.verify(newest)
            #expect(newest.checkpoint.size == 300)
            for note in notes {
                struct Body: Decodable { let hashes: [Data] }
                let path = "/v1/consistency?from=\(note.checkpoint.size)&to=300"
                let proof = try await served.caller.get(path)
                #expect(proof.headers["cache-control"].first?.contains("immutable") == true)
                let hashes = try proof.json(as: Body.self).hashes.compactMap { Digest(Array($0)) }
                #expect(
                    ConsistencyProof(hashes: hashes).isValid(
                        oldSize: note.checkpoint.size, oldRoot: note.checkpoint.root, newSize: 300,
                        newRoot: newest.checkpoint.root))
            }
            // Where the newest size is meant, the answer is another one a moment later.
            let open = try await served.caller.get("/v1/consistency?from=1")
            #expect(open.headers["cache-control"] == ["public, max-age=1"])

            let full = try await served.caller.get("/tile/entries/000")
            let partial = try await served.caller.get("/tile/entries/001.p/44")
            let leaves =
                try EntryBundle.decode(full.body, width: 256) + EntryBundle.decode(partial.body, width: 44)
            var frontier = MerkleFrontier()
            var completed: [TileHash] = []
            for leaf in leaves { frontier.append(MerkleTree.leafHash(leaf), into: &completed) }
            #expect(frontier.root == newest.checkpoint.root)
            let hashes = try HashTile.decode(try await served.caller.get("/tile/0/000").body, width: 256)
            #expect(hashes == leaves[..<256].map { MerkleTree.leafHash($0) })
            #expect(full.headers["cache-control"].first?.contains("immutable") == true)

            let lines = try await served.caller.get("/v1/blocks?from=0&to=5").text.split(separator: "\n")
            #expect(lines.count == 6)
            for query in ["from=x", "to=-1", "from=5&to=4", "from=99999"] {
                #expect(
                    try await served.caller.get("/v1/blocks?\(query)").problem == "bad-parameter", "\(query)")
            }
            for query in ["from=0", "from=301", "from=5&to=4", "to=301", "from=1&to=99999999999999999999"] {
                #expect(
                    try await served.caller.get("/v1/consistency?\(query)").problem == "bad-parameter",
                    "\(query)")
            }
        }
    }

    @Test func `has no tile outside its paths`() async throws {
        try await ServedNode.run { served in
            try await served.append(try served.ledger.document(id: "a"))
            let paths = [
                "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/0", "/tile/0/000.p/0", "/tile/0/000.p/256",
                "/tile/0/000.p/2", "/tile/0/001.p/1", "/tile/7/000.p/1", "/tile/64/000", "/tile/-1/000",
                "/tile/0/x000",
                "/tile/0/x000/000", "/tile/entries/../../checkpoint", "/tile/entries/..%2f..%2fetc/passwd",
                "/tile/entries/%2e%2e/000", "/tile/0/000%00", "/tile/0/000.p/1/", "/tile//0/000.p/1",
                "/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                "/tile/0/" + String(repeating: "x000/", count: 3000) + "000",
                "/tile/0/٣٣٣", "/tile/0/%D9%A3%D9%A3%D9%A3", "/tile/00/000", "/tile/0/+00",
                "/tile/0/000.p/+1",
            ]
            for path in paths {
                guard
                    let encoded = path.addingPercentEncoding(
                        withAllowedCharacters: .urlPathAllowed.union(["%"]))
                else { continue }
                let answer = try await served.caller.get(encoded)
                #expect([400, 404].contains(answer.status), "\(path.prefix(80)): \(answer.status)")
                #expect(answer.problem != nil, "\(path.prefix(80))")
            }
        }
    }

    @Test func `answers 405 with what an address takes, and 406 with what it offers`() async throws {
        try await ServedNode.run { served in
            for (method, path, allowed) in [
                (HTTPMethod.GET, "/v1/entries", "POST"), (.PUT, "/v1/governance", "POST"),
                (.POST, "/checkpoint", "GET, HEAD"), (.DELETE, "/v1/entries/0", "GET, HEAD"),
                (.PATCH, "/tile/0/000", "GET, HEAD"), (.DELETE, "/api/v1/query", "GET, HEAD, POST"),
                (.POST, "/api/v1/label/a/values", "GET, HEAD"), (.OPTIONS, "/v1/nodes", "GET, HEAD"),
            ] {
                let answer = try await served.caller.send(method, path)
                #expect(answer.status == 405, "\(method) \(path)")
                #expect(answer.problem == "method")
                #expect(answer.headers["allow"] == [allowed])
            }
            for path in [
                "/", "/v1", "/v1/nothing", "/api/v1/label/values", "/checkpoint/x", "/v1/streams",
                "/V1/nodes",
            ] {
                #expect(try await served.caller.get(path).problem == "not-found", "\(path)")
            }
            let head = try await served.caller.send(.HEAD, "/v1/nodes")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)

            let accepted = [
                "*/*", "application/json", "application/*", "text/html, application/json;q=0.1", "",
                "nonsense", "text/html;q=1, */*;q=0.1",
            ]
            for accept in accepted {
                #expect(
                    try await served.caller.get("/v1/nodes", [("accept", accept)]).status == 200, "\(accept)")
            }
            for accept in [
                "text/html", "application/xml", "application/json;q=0", "*/*, application/json;q=0.0",
                "text/*",
            ] {
                let answer = try await served.caller.get("/v1/nodes", [("accept", accept)])
                #expect(answer.status == 406, "\(accept)")
                #expect(answer.problem == "not-acceptable")
            }
            // Nothing is logged for whoever cannot read the receipt.
            let refused = try await served.caller.send(
                .POST, "/v1/entries", [("content-type", "application/cms"), ("accept", "application/json")],
                body: served.ledger.document(id: "a"))
            #expect(refused.status == 406)
            #expect(served.node.driver.published.size == 0)
        }
    }
}
