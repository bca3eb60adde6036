import Foundation

/// Rows of text in aligned columns, under headings if there are any.
struct Table {
    private var rows: [[String]]

    init(_ headings: String...) {
        rows = headings.isEmpty ? [] : [headings]
    }

    /// Whether there is nothing below the headings.
    var isEmpty: Bool { rows.count < 2 }

    mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// Bytes for a terminal: text where they are text, and `\xNN` for what is not printable.
func printable(_ bytes: Data) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
        return bytes.map { byte in
            32..<127 ~= byte && byte != 92
                ? String(UnicodeScalar(byte)) : "\\x" + hexadecimal(byte)
        }.joined()
    }
    return text.unicodeScalars.map { scalar in
        let isControl = scalar.properties.generalCategory == .control
        return isControl ? "\\x" + hexadecimal(UInt8(scalar.value)) : String(scalar)
    }.joined()
}

private func hexadecimal(_ byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
}
