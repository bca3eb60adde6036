import SynodGRPC
import Testing

@Suite struct GRPCLimitsTests {
    /// What the limits' own descriptions rely on.
    @Test func limitsFitEachOther() {
        let limits = GRPCLimits()
        let framedMessage = limits.messageBytes + MessageAssembler.prefixBytes
        // An ordinary call never waits for its stream's window.
        #expect(limits.streamWindowBytes >= framedMessage)
        #expect(limits.connectionWindowBytes >= limits.streamWindowBytes)
        // One client's large requests do not refuse each other at once.
        #expect(limits.partialBytesPerConnection >= 16 * framedMessage)
        #expect(limits.queuedBytesPerConnection >= limits.socketHighWaterBytes)
        // HTTP/2's own bounds: windows and stream numbers are 31 bits wide.
        #expect(limits.connectionWindowBytes <= Int(Int32.max))
        #expect(limits.streamsPerConnection < Int(Int32.max) / 2)
    }
}
