import NIOCore
import SynodBytes
import SynodGRPC
import Testing

@Suite struct FlowControlTests {
    private let largest = FlowControl.largestWindow

    @Test func aSmallerInitialWindowGoesBelowZero() throws {
        var flow = FlowControl()
        var stream = FlowControl.StreamWindow()
        flow.sent(60_000, on: &stream)
        try flow.setInitial(10_000) { [stream] }
        #expect(flow.available(stream) == 10_000 - 60_000)
        #expect(flow.connection == 65_535 - 60_000)
        #expect(flow.widen(&stream, by: 50_000))
        #expect(flow.available(stream) == 0)
        try flow.setInitial(10_001) { [stream] }
        #expect(flow.available(stream) == 1)
    }

    @Test func noWindowExceedsItsMaximum() throws {
        var flow = FlowControl()
        var stream = FlowControl.StreamWindow()
        #expect(flow.widen(&stream, by: largest - 65_535))
        #expect(flow.available(stream) == largest)
        #expect(!flow.widen(&stream, by: 1))
        try flow.widenConnection(by: largest - 65_535)
        #expect(throws: ConnectionError.self) { try flow.widenConnection(by: 1) }
        #expect(throws: ConnectionError.self) { try flow.setInitial(65_536) { [stream] } }
        try flow.setInitial(65_535) { [stream] }
        // A stream that has ended stands in nobody's way.
        try flow.setInitial(largest) { [] }
    }

    /// Agrees with a model that keeps every window apart, with changes of all kinds.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithSeparateWindows(seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var flow = FlowControl()
        var initial = 65_535
        var streams = [FlowControl.StreamWindow](repeating: .init(), count: 5)
        var model = [Int](repeating: 65_535, count: 5)
        for _ in 0..<1_000 {
            let index = Int(random.next() % 5)
            let size = random.next() % 4 == 0 ? Int(random.next() % (1 << 31)) : 10
            switch random.next() % 4 {
            case 0:
                let isAllowed = model[index] + size <= largest
                #expect(flow.widen(&streams[index], by: size) == isAllowed)
                if isAllowed { model[index] += size }
            case 1:
                let isAllowed = model.allSatisfy { $0 + size - initial <= largest }
                let windows = streams
                let isDone = (try? flow.setInitial(size) { windows }) != nil
                #expect(isDone == isAllowed)
                guard isDone else { break }
                model = model.map { $0 + size - initial }
                initial = size
            case 2:
                streams[index] = .init()
                model[index] = initial
            default:
                let sent = min(size, flow.connection, model[index])
                guard sent > 0 else { break }
                flow.sent(sent, on: &streams[index])
                model[index] -= sent
                try flow.widenConnection(by: sent)
            }
            #expect(streams.map { flow.available($0) } == model)
        }
    }

    @Test func theTurnsAgreeWithAList() {
        var random = PRNG(seed: 5)
        var turns = RoundRobin()
        var list: [UInt32] = []
        for _ in 0..<10_000 {
            let slot = UInt32(random.next() % 40)
            if random.next() % 2 == 0 {
                turns.append(slot)
                if !list.contains(slot) { list.append(slot) }
            } else {
                let victim = random.next() % 2 == 0 ? turns.first ?? slot : slot
                turns.remove(victim)
                list.removeAll { $0 == victim }
            }
            #expect(turns.slots == list)
            #expect(turns.first == list.first)
            #expect(turns.count == list.count)
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func queuedMessagesLeaveAsTheyCame(seed: UInt64) {
        var random = PRNG(seed: seed)
        var queue = OutboundQueue()
        var expected: [UInt8] = []
        var output = ByteBuffer()
        for _ in 0..<500 {
            if random.next() % 2 == 0 {
                let message = [UInt8](
                    repeating: UInt8(truncatingIfNeeded: random.next()),
                    count: Int(random.next() % 30))
                queue.append(message)
                expected += framed(message)
            } else if queue.count > 0 {
                queue.write(1 + Int(random.next() % UInt64(queue.count)), into: &output)
            }
            #expect(queue.count == expected.count - output.readableBytes)
        }
        queue.write(queue.count, into: &output)
        #expect(Array(output.readableBytesView) == expected)
    }
}
