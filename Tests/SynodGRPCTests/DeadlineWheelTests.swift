import NIOCore
import SynodBytes
import SynodGRPC
import Testing

@Suite struct DeadlineWheelTests {
    private func time(_ milliseconds: Int) -> NIODeadline {
        .uptimeNanoseconds(UInt64(milliseconds) * 1_000_000)
    }

    @Test func deadlinesLapseOnceAndNotEarly() {
        var wheel = DeadlineWheel()
        let start = time(1_000_000)
        _ = wheel.set(start + .milliseconds(100), slot: 0, now: start)
        _ = wheel.set(start + .milliseconds(300), slot: 7, now: start)
        #expect(wheel.expire(now: start + .milliseconds(99)) == [])
        #expect(wheel.expire(now: start + .milliseconds(132)) == [0])
        #expect(wheel.expire(now: start + .milliseconds(299)) == [])
        #expect(wheel.expire(now: start + .milliseconds(332)) == [7])
        #expect(wheel.count == 0)
        #expect(wheel.nextWakeUp == nil)
    }

    @Test func aClearedDeadlineDoesNotLapse() {
        var wheel = DeadlineWheel()
        for slot in 0..<3 as Range<UInt32> {
            _ = wheel.set(time(1_100), slot: slot, now: time(1_000))
        }
        wheel.clear(slot: 1)
        wheel.clear(slot: 1)
        #expect(wheel.expire(now: time(5_000)).sorted() == [0, 2])
    }

    /// A naive list agrees with the wheel over a long random history, whatever the pauses.
    @Test func agreesWithANaiveList() {
        var random = PRNG(seed: 42)
        var wheel = DeadlineWheel()
        var list: [UInt32: NIODeadline] = [:]
        var now = time(123_456)
        for _ in 0..<20_000 {
            let slot = UInt32(random.next() % 64)
            switch random.next() % 4 {
            case 0, 1:
                guard list[slot] == nil else { continue }
                let longest: UInt64 = random.next() % 8 == 0 ? 60_000 : 3_000
                let deadline = now + .milliseconds(Int64(random.next() % longest))
                list[slot] = deadline
                _ = wheel.set(deadline, slot: slot, now: now)
            case 2:
                list[slot] = nil
                wheel.clear(slot: slot)
            default:
                let longest: UInt64 = random.next() % 50 == 0 ? 30_000 : 100
                now = now + .milliseconds(Int64(random.next() % longest))
                for expired in wheel.expire(now: now) {
                    let deadline = list.removeValue(forKey: expired)
                    #expect(deadline.map { $0 <= now } == true)
                }
                let late = list.values.filter { $0 + DeadlineWheel.tick + DeadlineWheel.tick < now }
                #expect(late.isEmpty)
            }
            #expect(wheel.count == list.count)
            #expect((wheel.nextWakeUp == nil) == list.isEmpty)
        }
    }
}
