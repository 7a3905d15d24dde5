import Testing

@Suite struct `The code of a Swift file` {
    private func code(_ text: String) -> String { SwiftSource(path: "a.swift", text: text).code }

    @Test func `is told apart from comments, nested ones included`() {
        #expect(code("a // b!\nc") == "a      \nc")
        #expect(code("a /* b /* c */ d! */ e") == "a                    e")
        #expect(code("a /* b\n c */ d") == "a     \n      d")
    }

    @Test func `is told apart from the contents of strings`() {
        #expect(code(#"f("try! // x") // y"#) == #"f("         ")     "#)
        #expect(code(#"f("a\"b!") + c"#) == #"f("     ") + c"#)
        #expect(code("f(#\"a\"b!\"#) + c") == "f(#\"    \"#) + c")
        #expect(code("\"\"\"\n a! \"quoted\"\n \"\"\" + b") == "\"\"\"\n            \n \"\"\" + b")
    }

    @Test func `includes what strings interpolate`() {
        #expect(code(#"f("a \(b!) c")"#) == #"f("   (b!)  ")"#)
        #expect(code(#"f("a \(g(x!, "y!")) c") + d!"#).filter { $0 == "!" }.count == 2)
        #expect(code(##"f(#"a \(b!) \#(c!)"#)"##).filter { $0 == "!" }.count == 1)
    }

    @Test func `leaves out names that are sentences`() {
        #expect(
            code("func `sleep(1) is said` () { `default`() }") == "func `                ` () { `default`() }"
        )
    }

    @Test func `ends where the file ends, however broken`() {
        for text in ["\"abc", "\"\"\"abc", "/* abc", "`a b", "\"\\(a", "#\"", "\\", "\"\\"] {
            #expect(code(text).utf8.count == text.utf8.count)
        }
    }
}
