import SynodBytes

extension Operation {
    init(_ fields: JSONFields) throws(MalformedLine) {
        let outcome: Outcome
        if fields.find("return") == nil {
            if fields.find("answer") != nil { throw MalformedLine("has an answer and no return") }
            outcome = .unknown
        } else if let answer = fields.find("answer") {
            outcome = .answered(
                at: try fields.integer("return"), try Response(JSONFields(answer)))
        } else {
            outcome = .refused(at: try fields.integer("return"))
        }
        self.init(
            client: try fields.integer("client"), call: try fields.integer("call"),
            request: try Request(JSONFields(fields.value("request"))), outcome: outcome,
            place: fields.find("place") == nil ? nil : try fields.integer("place"))
    }
}

extension Request {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        if let put = fields.find("put") {
            let put = try JSONFields(put)
            self = .put(
                key: try put.bytes("key"), value: try put.bytes("value"),
                wantsPrevious: try put.flag("wantsPrevious"))
        } else if let delete = fields.find("delete") {
            let delete = try JSONFields(delete)
            self = .delete(try KeyRange(delete), wantsPrevious: try delete.flag("wantsPrevious"))
        } else if let range = fields.find("range") {
            let range = try JSONFields(range)
            self = .range(try KeyRange(range), isSerializable: try range.flag("serializable"))
        } else {
            let txn = try JSONFields(fields.value("txn"))
            self = .txn(
                compares: try txn.list("if", Compare.init),
                success: try txn.list("then", Request.init),
                failure: try txn.list("else", Request.init))
        }
    }
}

extension KeyRange {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        let upper = fields.find("end") == nil ? nil : try fields.bytes("end")
        self.init(lower: try fields.bytes("key"), upper: upper)
    }
}

extension Compare {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        let key = try fields.bytes("key")
        let symbol = try fields.value("is")
        guard let relation = Relation.allCases.first(where: { .string($0.symbol) == symbol })
        else { throw MalformedLine("has an unknown relation") }
        if fields.find("value") != nil {
            self = .value(key: key, relation, try fields.bytes("value"))
        } else if fields.find("version") != nil {
            self = .version(key: key, relation, try fields.integer("version"))
        } else if fields.find("create") != nil {
            self = .createRevision(key: key, relation, try fields.integer("create"))
        } else {
            self = .modRevision(key: key, relation, try fields.integer("mod"))
        }
    }
}

extension Response {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        self.init(revision: try fields.integer("revision"), body: try Body(fields))
    }
}

extension Body {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        if let put = fields.find("put") {
            let previous = try JSONFields(put).find("previous")
            self = .put(
                previous: try previous.map { json throws(MalformedLine) in
                    try KeyValue(JSONFields(json))
                })
        } else if let delete = fields.find("delete") {
            let delete = try JSONFields(delete)
            self = .delete(
                count: try delete.integer("count"),
                previous: try delete.list("previous", KeyValue.init))
        } else if let range = fields.find("range") {
            let range = try JSONFields(range)
            self = .range(
                try range.list("found", KeyValue.init), count: try range.integer("count"))
        } else {
            let txn = try JSONFields(fields.value("txn"))
            self = .txn(
                succeeded: try txn.flag("succeeded"), try txn.list("answers", Body.init))
        }
    }
}

extension KeyValue {
    fileprivate init(_ fields: JSONFields) throws(MalformedLine) {
        self.init(
            key: try fields.bytes("key"), value: try fields.bytes("value"),
            createRevision: try fields.integer("create"),
            modRevision: try fields.integer("mod"), version: try fields.integer("version"))
    }
}
