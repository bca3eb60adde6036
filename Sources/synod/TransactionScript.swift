import ArgumentParser
import EtcdWire
import Foundation
import SwiftProtobuf

/// The language of `synod txn`: see its help.
enum TransactionScript {
    /// The transaction that `text` describes; throws for the first line that means nothing.
    static func request(_ text: String) throws -> EtcdTxnRequest {
        var parts: [[Substring]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy(\.isWhitespace) {
                parts.append([])
            } else {
                parts[parts.count - 1].append(line)
            }
        }
        while parts.count > 3, parts.last?.isEmpty == true { parts.removeLast() }
        guard parts.count <= 3 else {
            throw ValidationError("A transaction has three parts, and \(parts.count) are given.")
        }
        parts += Array(repeating: [], count: 3 - parts.count)
        return try .with {
            $0.compare = try parts[0].map(comparison)
            $0.success = try parts[1].map(operation)
            $0.failure = try parts[2].map(operation)
        }
    }

    private static func comparison(_ line: Substring) throws -> EtcdCompare {
        let words = try Self.words(line)
        guard words.count == 6, words[1] == .symbol("("), words[3] == .symbol(")"),
            case .symbol(let sign) = words[4], let result = results[sign]
        else {
            throw ValidationError("'\(line)' is not like value(\"KEY\") = \"VALUE\".")
        }
        let operand = words[5].text
        return try .with {
            $0.key = words[2].bytes
            $0.result = result
            switch words[0].text {
            case "value": ($0.target, $0.value) = (.value, words[5].bytes)
            case "version": ($0.target, $0.version) = (.version, try number(operand, in: line))
            case "create", "c":
                ($0.target, $0.createRevision) = (.create, try number(operand, in: line))
            case "mod", "m": ($0.target, $0.modRevision) = (.mod, try number(operand, in: line))
            case "lease": ($0.target, $0.lease) = (.lease, try number(operand, in: line))
            default:
                throw ValidationError(
                    "'\(line)' compares something other than value, version, create, mod or lease.")
            }
        }
    }

    private static let results: [String: EtcdCompare.CompareResult] = [
        "=": .equal, "!=": .notEqual, "<": .less, ">": .greater,
    ]

    private static func number(_ text: String, in line: Substring) throws -> Int64 {
        guard let number = Int64(text) else {
            throw ValidationError("'\(line)' compares with '\(text)', which is not a number.")
        }
        return number
    }

    private static func operation(_ line: Substring) throws -> EtcdRequestOp {
        let words = try Self.words(line)
        return try .with {
            switch (words.first?.text, words.count) {
            case ("put", 3):
                $0.requestPut = .with {
                    $0.key = words[1].bytes
                    $0.value = words[2].bytes
                }
            case ("get", 2...3):
                $0.requestRange = .with {
                    $0.key = words[1].bytes
                    if words.count == 3 { $0.rangeEnd = words[2].bytes }
                }
            case ("del", 2...3):
                $0.requestDeleteRange = .with {
                    $0.key = words[1].bytes
                    if words.count == 3 { $0.rangeEnd = words[2].bytes }
                }
            default:
                throw ValidationError(
                    "'\(line)' is not put KEY VALUE, get KEY [RANGE-END] or del KEY [RANGE-END].")
            }
        }
    }

    /// A piece of a line: a bare or quoted word, or one of the signs between words.
    private enum Word: Equatable {
        case word(Data)
        case symbol(String)

        var bytes: Data {
            switch self {
            case .word(let bytes): bytes
            case .symbol(let sign): Data(sign.utf8)
            }
        }

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private static func words(_ line: Substring) throws -> [Word] {
        var words: [Word] = []
        var rest = Array(line.utf8)[...]
        while let first = rest.first {
            switch first {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                rest.removeFirst()
            case UInt8(ascii: "\""):
                rest.removeFirst()
                words.append(.word(try quoted(&rest, in: line)))
            case UInt8(ascii: "!") where rest.dropFirst().first == UInt8(ascii: "="):
                rest.removeFirst(2)
                words.append(.symbol("!="))
            case _ where signs.contains(first):
                rest.removeFirst()
                words.append(.symbol(String(UnicodeScalar(first))))
            default:
                let word = rest.prefix { $0 > 32 && !signs.contains($0) && $0 != 34 }
                guard !word.isEmpty else {
                    throw ValidationError("'\(line)' has a control character outside of quotes.")
                }
                rest = rest.dropFirst(word.count)
                words.append(.word(Data(word)))
            }
        }
        return words
    }

    private static let signs = Set("()=<>".utf8)

    /// The rest of a quoted word, from behind its opening quote to behind the closing one.
    private static func quoted(
        _ rest: inout ArraySlice<UInt8>, in line: Substring
    ) throws -> Data {
        var bytes = Data()
        while let byte = rest.popFirst() {
            guard byte != UInt8(ascii: "\"") else { return bytes }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16) else {
                    throw ValidationError("'\(line)' has \\x without two hexadecimal digits.")
                }
                rest = rest.dropFirst(2)
                bytes.append(byte)
            case let escaped? where escaped == 34 || escaped == 92: bytes.append(escaped)
            default: throw ValidationError("'\(line)' has an unknown escape.")
            }
        }
        throw ValidationError("'\(line)' has a quote that is not closed.")
    }
}
