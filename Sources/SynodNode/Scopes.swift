package import SynodKeyspace
package import SynodPaxos

// What consensus is told of requests: the keys that they touch.

extension KeySpan {
    fileprivate init(_ range: KeyRange) {
        let upper: Upper =
            switch range.upper {
            case .point: .point
            case .open: .open
            case .below(let end): .below(end)
            }
        self.init(range.lower, upper)
    }
}

extension Footprint {
    /// - Parameter command: decoded from bytes that begin at index zero.
    package init(_ command: SynodKeyspace.Command) {
        self = command.keys.map { Footprint($0.map { KeySpan($0) }) } ?? .everything
    }
}

extension ReadScope {
    /// At a revision of its own a read asks for everything before it; else only for its keys.
    package init(_ request: RangeRequest) {
        if request.revision > 0 {
            self = .everything
        } else if case .point = request.range.upper {
            self = .key(request.range.lower)
        } else {
            self = .range(KeySpan(request.range))
        }
    }

    package init(_ request: TxnRequest) {
        guard !request.readsOlderRevisions,
            let keys = SynodKeyspace.Command.txn(request).keys
        else {
            self = .everything
            return
        }
        self = .spans(keys.map { KeySpan($0) })
    }
}

extension TxnRequest {
    fileprivate var readsOlderRevisions: Bool {
        (success + failure).contains { operation in
            switch operation {
            case .range(let request): request.revision > 0
            case .txn(let nested): nested.readsOlderRevisions
            case .put, .deleteRange, .empty: false
            }
        }
    }
}
