import SynodServer

/// Command-line arguments as launchers of etcd write them, turned into what the argument parser
/// reads: `-flag` and `--flag` mean the same, and etcd's flags without effect here are taken out.
///
/// Only `synod serve` is treated so; the arguments of other commands pass unchanged.
struct ServeArguments {
    private(set) var arguments: [String]
    /// One sentence for each flag that was taken out.
    private(set) var warnings: [String] = []

    /// Throws for a flag that asks for what cannot be had.
    init(_ given: [String]) throws(ConfigurationError) {
        arguments = given
        guard given.first == "serve" else { return }
        arguments = ["serve"]
        var rest = given.dropFirst()
        while let argument = rest.popFirst() {
            guard let (name, value) = Self.flag(argument) else {
                arguments.append(argument)
                continue
            }
            switch ServerConfiguration.meaning(ofFlag: name) {
            case .obeyed:
                arguments.append("--" + argument.drop { $0 == "-" })
                // The value of a flag is whatever follows it, even if it begins with a dash.
                if value == nil, let next = rest.popFirst() { arguments.append(next) }
            case .ignored(let sentence):
                warnings.append(sentence)
                Self.skipValue(in: &rest, given: value)
            case .refused(let sentence):
                let isOff = value.map(ServerConfiguration.isOff) ?? false
                if !isOff { throw ConfigurationError(sentence) }
            case .unknown:
                arguments.append(name.count == 1 ? argument : "--" + argument.drop { $0 == "-" })
            }
        }
    }

    /// The name and the value in `-name`, `--name` or `--name=value`; nil for what is no flag.
    private static func flag(_ argument: String) -> (name: String, value: String?)? {
        let text = argument.drop { $0 == "-" }
        guard argument.hasPrefix("-"), let first = text.first, !first.isNumber else { return nil }
        guard let equals = text.firstIndex(of: "=") else { return (String(text), nil) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// `serve` takes no arguments but flags, so what follows a flag without a dash is its value.
    private static func skipValue(in rest: inout ArraySlice<String>, given value: String?) {
        if value == nil, let next = rest.first, !next.hasPrefix("-") { rest.removeFirst() }
    }
}
