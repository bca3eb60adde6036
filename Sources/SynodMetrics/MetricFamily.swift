/// A metric as Prometheus understands it: one name, and a sample for each set of labels.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        /// Only grows, until the process starts again.
        case counter
        case gauge
    }

    package struct Sample: Sendable {
        package let labels: [Label]
        package let value: MetricValue

        package init(labels: [Label], value: MetricValue) {
            self.labels = labels
            self.value = value
        }
    }

    package struct Label: Sendable {
        package let name: String
        /// Any text.
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let name: String
    package let kind: Kind
    /// What the value means, and its unit.
    package let help: String
    /// None: the value is not known, and nothing is exported.
    package let samples: [Sample]

    package init(_ name: String, _ kind: Kind, _ help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// A metric without labels; nil where its value is not known.
    package init(_ name: String, _ kind: Kind, _ help: String, _ value: MetricValue?) {
        let samples = value.map { [Sample(labels: [], value: $0)] } ?? []
        self.init(name, kind, help, samples: samples)
    }
}

/// Prometheus reads every value as a floating-point number; integers are written out all the same.
package enum MetricValue: Sendable {
    case integer(Int64)
    case decimal(Double)

    package init(_ number: some BinaryInteger) { self = .integer(Int64(clamping: number)) }

    package init(_ truth: Bool) { self = .integer(truth ? 1 : 0) }

    var text: String {
        switch self {
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        }
    }
}
