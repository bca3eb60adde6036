import SynodBytes
import SynodCheck

/// Makes one change to a history, most of which make it invalid.
struct Mutation {
    var prng: PRNG

    mutating func mutate(_ history: inout History) {
        let count = UInt64(history.operations.count)
        let index = Int(prng.below(count))
        let other = Int(prng.below(count))
        switch prng.below(9) {
        case 8: swapPlaces(&history, index, other)
        case 0: history.operations.remove(at: index)
        case 1: swapAnswers(&history, index, other)
        case 2: history.operations[index].outcome = .unknown
        case 3: moveInTime(&history.operations[index])
        case 4:
            if let end = history.operations[index].return {
                history.operations[index].outcome = .refused(at: end)
            }
        default:
            guard case .answered(let end, var response) = history.operations[index].outcome else {
                return
            }
            damage(&response)
            history.operations[index].outcome = .answered(at: end, response)
        }
    }

    private func swapAnswers(_ history: inout History, _ first: Int, _ second: Int) {
        guard case .answered(let firstEnd, let mine) = history.operations[first].outcome,
            case .answered(let secondEnd, let theirs) = history.operations[second].outcome
        else { return }
        history.operations[first].outcome = .answered(at: firstEnd, theirs)
        history.operations[second].outcome = .answered(at: secondEnd, mine)
    }

    private func swapPlaces(_ history: inout History, _ first: Int, _ second: Int) {
        let place = history.operations[first].place
        history.operations[first].place = history.operations[second].place
        history.operations[second].place = place
    }

    private mutating func moveInTime(_ operation: inout Operation) {
        let isLater = prng.chance(1, in: 2)
        let distance = 30 + prng.below(50)
        func moved(_ time: UInt64) -> UInt64 { isLater ? time + distance : time - distance }
        operation.call = moved(operation.call)
        switch operation.outcome {
        case .answered(let at, let response):
            operation.outcome = .answered(at: moved(at), response)
        case .refused(let at): operation.outcome = .refused(at: moved(at))
        case .unknown: break
        }
    }

    private mutating func damage(_ response: inout Response) {
        if prng.chance(1, in: 3) {
            response.revision += prng.chance(1, in: 2) ? 1 : -1
        } else {
            damage(&response.body)
        }
    }

    private mutating func damage(_ body: inout Body) {
        switch body {
        case .put(var previous?):
            damage(&previous)
            body = .put(previous: previous)
        case .put: body = .delete(count: 1)
        case .delete(let count, var previous):
            damage(&previous)
            body = .delete(count: prng.chance(1, in: 2) ? count ^ 1 : count, previous: previous)
        case .range(var found, _):
            damage(&found)
            body = .range(found, count: Int64(found.count))
        case .txn(let succeeded, var bodies):
            if bodies.isEmpty || prng.chance(1, in: 3) {
                body = .txn(succeeded: !succeeded, bodies)
            } else {
                damage(&bodies[Int(prng.below(UInt64(bodies.count)))])
                body = .txn(succeeded: succeeded, bodies)
            }
        }
    }

    private mutating func damage(_ found: inout [KeyValue]) {
        guard !found.isEmpty else {
            if prng.chance(1, in: 2) {
                found.append(
                    KeyValue(
                        key: Bytes("k0".utf8), value: Bytes("1".utf8), createRevision: 2,
                        modRevision: 2, version: 1))
            }
            return
        }
        let index = Int(prng.below(UInt64(found.count)))
        if prng.chance(1, in: 3) { found.remove(at: index) } else { damage(&found[index]) }
    }

    private mutating func damage(_ keyValue: inout KeyValue) {
        switch prng.below(4) {
        case 0: keyValue.value = Bytes("\(prng.below(8))".utf8)
        case 1: keyValue.version += 1
        case 2: keyValue.createRevision -= 1
        default: keyValue.modRevision += 1
        }
    }
}
