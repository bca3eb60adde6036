import SynodBytes
import Testing

struct ByteReaderTests {
    @Test(
        arguments: [
            (0, [0x00]), (1, [0x01]), (127, [0x7f]), (128, [0x80, 0x01]), (300, [0xac, 0x02]),
            (16_383, [0xff, 0x7f]), (16_384, [0x80, 0x80, 0x01]),
            (1 << 63, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
            (.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] as [(UInt64, [UInt8])])
    func varints(value: UInt64, bytes: [UInt8]) throws {
        var writer = ByteWriter()
        writer.writeVarint(value)
        #expect(writer.bytes == bytes)
        var reader = ByteReader(bytes)
        #expect(try reader.readVarint() == value)
        #expect(reader.isAtEnd)
        for count in 0..<bytes.count {
            var cut = ByteReader(bytes[..<count])
            #expect(throws: MalformedBytes.self) { try cut.readVarint() }
        }
    }

    /// Ten bytes hold 64 bits and no more.
    @Test(
        arguments: [
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ] as [[UInt8]])
    func varintsThatAreTooLarge(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        #expect(throws: MalformedBytes.self) { try reader.readVarint() }
    }

    @Test func integersInBothOrders() throws {
        var writer = ByteWriter()
        writer.write(UInt8(0x01))
        writer.write(UInt32(0x0203_0405))
        writer.writeBigEndian(UInt16(0x0607))
        writer.write(Int64(-2))
        #expect(writer.bytes.prefix(7) == [0x01, 0x05, 0x04, 0x03, 0x02, 0x06, 0x07])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.read(UInt8.self) == 1)
        #expect(try reader.read(UInt32.self) == 0x0203_0405)
        #expect(try reader.readBigEndian(UInt16.self) == 0x0607)
        #expect(try reader.read(Int64.self) == -2)
        #expect(reader.isAtEnd)
    }

    @Test func anIntegerIsOverwritten() {
        var writer = ByteWriter()
        writer.write(UInt32(0))
        writer.writeRaw([9, 9])
        writer.overwrite(UInt32(0x0403_0201), at: 0)
        #expect(writer.bytes == [1, 2, 3, 4, 9, 9])
    }

    /// A slice is read in its own bounds.
    @Test func aSliceKeepsToItself() throws {
        let bytes: [UInt8] = [9, 9, 2, 7, 8, 9, 9]
        var reader = ByteReader(bytes[2..<5])
        #expect(try Array(reader.readPrefixed()) == [7, 8])
        #expect(reader.remaining == 0)
        #expect(throws: MalformedBytes.self) { try reader.read(UInt8.self) }
    }

    /// A forged length or count is refused before anything is reserved for it.
    @Test func forgedLengthsAreRefused() {
        for value in [2, 1 << 31, 1 << 62, 1 << 63, .max] as [UInt64] {
            var writer = ByteWriter()
            writer.writeVarint(value)
            writer.write(UInt8(1))
            var prefixed = ByteReader(writer.bytes)
            #expect(throws: MalformedBytes.self) { try prefixed.readPrefixed() }
            var counted = ByteReader(writer.bytes)
            #expect(throws: MalformedBytes.self) { try counted.readCount() }
        }
        var reader = ByteReader([1, 2, 3])
        #expect(throws: MalformedBytes.self) { try reader.readRaw(-1) }
        #expect(throws: MalformedBytes.self) { try reader.readRaw(4) }
        #expect(throws: MalformedBytes.self) { try reader.readRaw(.max) }
        #expect(reader.remaining == 3)
    }

    /// No bytes and no sequence of reads trap, or read past the end.
    @Test func noInputTraps() {
        var chance = PRNG(seed: 3)
        for _ in 0..<5_000 {
            let bytes = (0..<chance.below(24)).map { _ in
                // Many large bytes, so that lengths are often forged.
                chance.chance(1, in: 2) ? UInt8.max : UInt8(truncatingIfNeeded: chance.next())
            }
            var reader = ByteReader(bytes)
            for _ in 0..<8 {
                let before = reader.remaining
                switch chance.below(7) {
                case 0: _ = try? reader.read(UInt8.self)
                case 1: _ = try? reader.read(UInt64.self)
                case 2: _ = try? reader.readBigEndian(UInt32.self)
                case 3: _ = try? reader.readVarint()
                case 4: _ = try? reader.readPrefixed()
                case 5: _ = try? reader.readCount()
                default: _ = try? reader.readRaw(Int(chance.within(-2...30)))
                }
                #expect(reader.remaining >= 0 && reader.remaining <= before)
            }
        }
    }
}
