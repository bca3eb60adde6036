import NIOCore
import Synchronization
import SynodBytes

/// What the proxy does to each link at present, and how often it has done what. Scenarios write it
/// from any thread; the proxy reads it for every piece.
package final class FaultBoard: Sendable {
    /// What becomes of one piece.
    enum Fate: Equatable {
        case lost
        /// Wrong bits are given by their distance from the beginning of the piece.
        case delivered(after: TimeAmount, wrongBit: Int?)
    }

    private struct State {
        var faults: [Link: LinkFault] = [:]
        var chance: PRNG
        var fired: [String: Int] = [:]
        var tunnels: [ObjectIdentifier: Tunnel] = [:]
        var isClosed = false
    }

    private let state: Mutex<State>

    package init(seed: UInt64) {
        state = Mutex(State(chance: PRNG(seed: seed)))
    }

    // MARK: For scenarios

    /// Sets the faults of a link; tunnels that a new cut severs are reset.
    package func set(_ fault: LinkFault, on link: Link) {
        let severed: [Tunnel] = state.withLock { state in
            state.faults[link] = fault
            guard fault.cut == .severed else { return [] }
            return state.tunnels.values.filter { $0.link == link }
        }
        for tunnel in severed { tunnel.reset() }
    }

    /// All links are as they should be. What was delayed still comes late.
    package func heal() {
        state.withLock { $0.faults = [:] }
    }

    /// Resets the connections that pass the predicate; returns how many.
    @discardableResult
    package func reset(where isChosen: (Link) -> Bool) -> Int {
        let chosen = state.withLock { state in
            let chosen = state.tunnels.values.filter { $0.link.map(isChosen) ?? false }
            state.fired["connections reset", default: 0] += chosen.count
            return chosen
        }
        for tunnel in chosen { tunnel.reset() }
        return chosen.count
    }

    /// How often each fault had an effect.
    package var fired: [String: Int] { state.withLock { $0.fired } }

    // MARK: For the proxy

    func admits(_ link: Link) -> Bool {
        state.withLock { state in
            guard state.faults[link]?.cut == .severed else { return true }
            state.fired["connections refused", default: 0] += 1
            return false
        }
    }

    func fate(of piece: FrameCutter.Piece, on link: Link) -> Fate {
        state.withLock { state in
            guard let fault = state.faults[link] else {
                return .delivered(after: .zero, wrongBit: nil)
            }
            if fault.cut != .none {
                state.fired["pieces cut off", default: 0] += 1
                return .lost
            }
            if piece.isMessages, state.chance.chance(fault.lossPermille, in: 1000) {
                state.fired["frames lost", default: 0] += 1
                return .lost
            }
            var wrongBit: Int?
            if state.chance.chance(fault.corruptionPermille, in: 1000) {
                state.fired["frames corrupted", default: 0] += 1
                wrongBit = Int(state.chance.below(UInt64(piece.bytes.readableBytes) * 8))
            }
            let delay = state.chance.within(fault.delayMilliseconds)
            if delay > 0 { state.fired["frames delayed", default: 0] += 1 }
            return .delivered(after: .milliseconds(delay), wrongBit: wrongBit)
        }
    }

    /// False when the proxy is closing already.
    func enter(_ tunnel: Tunnel) -> Bool {
        state.withLock { state in
            if !state.isClosed { state.tunnels[ObjectIdentifier(tunnel)] = tunnel }
            return !state.isClosed
        }
    }

    func leave(_ tunnel: Tunnel) {
        state.withLock { $0.tunnels[ObjectIdentifier(tunnel)] = nil }
    }

    /// Resets everything and lets nothing in any more.
    func close() {
        let tunnels = state.withLock { state in
            state.isClosed = true
            return Array(state.tunnels.values)
        }
        for tunnel in tunnels { tunnel.reset() }
    }
}
