/// Tells what an expression evaluates to, and refuses what could never be evaluated.
enum TypeCheck {
    static func type(of expression: Expression) throws(Parser.Failure) -> ValueType {
        switch expression {
        case .number: return .scalar
        case .string: return .string
        case .selector: return .vector
        case .range: return .matrix
        case .subquery(let subquery):
            let type = try type(of: subquery.inner)
            guard type == .vector else {
                throw Parser.Failure(
                    "subquery is only allowed on instant vector, got \(type.rawValue) instead",
                    at: subquery.place.start)
            }
            return .matrix
        case .parenthesized(let inner, _): return try type(of: inner)
        case .unary(let operation):
            let type = try type(of: operation.operand)
            guard type == .scalar || type == .vector else {
                throw Parser.Failure(
                    "unary expression only allowed on expressions of type scalar or instant vector, got "
                        + type.documented.goQuoted, at: operation.place.start)
            }
            return type
        case .binary(let operation): return try type(of: operation)
        case .aggregation(let aggregation):
            try expect(
                aggregation.operator.argumentType, aggregation.argument, in: "aggregation expression")
            if let parameter = aggregation.parameter, let type = aggregation.operator.parameterType {
                try expect(type, parameter, in: "aggregation parameter")
            }
            return .vector
        case .call(let call):
            try check(call)
            return call.function.resultType
        }
    }

    private static func check(_ call: Call) throws(Parser.Failure) {
        let function = call.function
        let name = function.name.goQuoted
        let expected = function.argumentCounts
        guard expected.contains(call.arguments.count) else {
            let bound = call.arguments.count < expected.lowerBound ? expected.lowerBound : expected.upperBound
            let qualifier =
                switch function.arity {
                case .exact: ""
                case .lastOptional, .lastRepeated:
                    call.arguments.count < expected.lowerBound ? "at least " : "at most "
                }
            throw Parser.Failure(
                "expected \(qualifier)\(bound) argument(s) in call to \(name), got \(call.arguments.count)",
                at: call.place.start)
        }
        for (place, argument) in call.arguments.enumerated() {
            let type = function.argumentTypes[min(place, function.argumentTypes.count - 1)]
            try expect(type, argument, in: "call to function \(name)")
        }
    }

    private static func expect(
        _ type: ValueType, _ expression: Expression, in context: String
    ) throws(Parser.Failure) {
        let found = try Self.type(of: expression)
        guard found == type else {
            throw Parser.Failure(
                "expected type \(type.documented) in \(context), got \(found.documented)",
                at: expression.place.start)
        }
    }

    private static func type(of operation: BinaryOperation) throws(Parser.Failure) -> ValueType {
        let left = try type(of: operation.left)
        let right = try type(of: operation.right)
        for (type, side) in [(left, operation.left), (right, operation.right)]
        where type != .scalar && type != .vector {
            throw Parser.Failure(
                "binary expression must contain only scalar and instant vector types", at: side.place.start)
        }
        let place = operation.operatorPlace.start
        let symbol = operation.operator
        if left == .scalar, right == .scalar {
            if symbol.family == .comparison, !operation.returnsBool {
                throw Parser.Failure("comparisons between scalars must use BOOL modifier", at: place)
            }
        }
        if left == .scalar || right == .scalar {
            if symbol.family == .set {
                throw Parser.Failure(
                    "set operator \(symbol.rawValue.goQuoted) not allowed in binary scalar expression",
                    at: place)
            }
            if operation.matching != VectorMatching() {
                throw Parser.Failure("vector matching only allowed between instant vectors", at: place)
            }
        }
        return left == .scalar && right == .scalar ? .scalar : .vector
    }
}

extension Expression {
    /// What it evaluates to. The parser has checked it, so an expression that it returned has a type.
    public var type: ValueType {
        do { return try TypeCheck.type(of: self) } catch { return .string }
    }
}
