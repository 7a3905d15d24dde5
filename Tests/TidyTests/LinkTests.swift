import Testing

/// Links of a page that lead nowhere.
///
/// - Parameters:
///   - pages: All pages by path, for their anchors.
///   - exists: Whether a file or folder of the repository has this path.
private func deadLinks(_ path: String, in pages: [String: Markdown], exists: (String) -> Bool) -> [Finding] {
    guard let page = pages[path] else { return [Finding(path: path, line: 0, reason: "no such page")] }
    let folder = path.split(separator: "/").dropLast().map(String.init)
    let links = page.links.compactMap { link -> Finding? in
        if link.target.contains("://") || link.target.hasPrefix("mailto:") { return nil }
        let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let target = resolve(String(parts[0]), from: folder, page: path) else {
            return Finding(path: path, line: link.line, reason: "\(link.target) leads out of the repository")
        }
        guard exists(target) else {
            return Finding(path: path, line: link.line, reason: "\(link.target): there is no \(target)")
        }
        guard parts.count == 2, let anchors = pages[target]?.anchors else { return nil }
        return anchors.contains(String(parts[1]))
            ? nil : Finding(path: path, line: link.line, reason: "\(target) has no heading #\(parts[1])")
    }
    let paths = page.paths.compactMap { span -> Finding? in
        let target = span.target.hasSuffix("/") ? String(span.target.dropLast()) : span.target
        return exists(target) ? nil : Finding(path: path, line: span.line, reason: "there is no \(target)")
    }
    return links + paths
}

/// The path that a relative target means; `nil` where it leaves the repository.
private func resolve(_ target: String, from folder: [String], page: String) -> String? {
    if target.isEmpty { return page }
    if target.hasPrefix("/") { return nil }
    var components = folder
    for component in target.split(separator: "/") {
        switch component {
        case ".": continue
        case "..":
            if components.isEmpty { return nil }
            components.removeLast()
        default: components.append(String(component))
        }
    }
    return components.joined(separator: "/")
}

@Suite struct `The links of the papers` {
    @Test func `all lead somewhere`() throws {
        let paths = Repository.files.filter { $0.hasSuffix(".md") }
        var pages: [String: Markdown] = [:]
        for path in paths { pages[path] = Markdown(try Repository.text(path)) }
        let files = Set(Repository.files)
        func exists(_ path: String) -> Bool {
            files.contains(path) || path.isEmpty || files.contains { $0.hasPrefix(path + "/") }
        }
        let checked = paths.filter { $0.hasPrefix("docs/") || !$0.contains("/") }
        #expect(checked.contains("README.md"))
        #expect(checked.contains("CHANGELOG.md"))
        let findings = checked.flatMap { deadLinks($0, in: pages, exists: exists) }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    private func findings(_ text: String, _ path: String = "docs/a.md") -> [Finding] {
        let pages = [path: Markdown(text), "docs/b.md": Markdown("# Two words\n## Two words\n")]
        return deadLinks(path, in: pages) {
            [path, "docs/b.md", "docs", "README.md", "tools/up"].contains($0)
        }
    }

    @Test(arguments: [
        "[b](c.md)", "[b](../c.md)", "[b](../../README.md)", "[b](/README.md)", "[b](b.md#three)",
        "[b](#none)",
        "![b](picture.png)", "[b]: c.md", "[b](c.md \"title\")", "run `tools/down`", "`docs/c.md`",
        "[a](b.md) [b](c.md)", "`code` [`c`](c.md)",
    ])
    func `are found dead`(text: String) {
        #expect(findings(text).count == 1)
    }

    @Test(arguments: [
        "[b](b.md)", "[b](./b.md#two-words)", "[b](b.md#two-words-1)", "[b](../README.md)",
        "[b](https://a.example/x)",
        "[b](mailto:a@b.example)", "# Here\n[b](#here)", "```\n[b](c.md)\n```", "    [b](c.md)",
        "`[b](c.md)`",
        "run `tools/up`", "run `tools/up --nodes 1`", "`docs/decisions/NNNN-short-name.md`", "`docs/*.md`",
        "`docs/`",
    ])
    func `are found alive`(text: String) {
        let found = findings(text)
        #expect(found.isEmpty, "\(found.report)")
    }

    @Test func `see headings as GitHub does`() {
        #expect(Markdown.slug(" What `n = 1` does, today") == "what-n--1-does-today")
        #expect(Markdown.slug("4. Chain and checkpoint") == "4-chain-and-checkpoint")
    }
}
