import SynodBytes
import Testing

struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
    @Test func knownVectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum(Array(UInt8(0)...31)) == 0x46dd_794e)
        #expect(CRC32C.checksum((UInt8(0)...31).reversed()) == 0x113f_db5c)
        #expect(CRC32C.checksum("123456789".utf8) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }

    /// An iSCSI read command, from the same appendix.
    @Test func aReadCommand() {
        let command: [UInt8] = [
            0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14,
            0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,
            0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ]
        #expect(CRC32C.checksum(command) == 0xd996_3a56)
    }

    /// However the bytes are cut into updates and wherever they lie in memory, the sum is that of
    /// the definition, bit by bit.
    @Test func everyCutGivesTheSame() {
        var chance = PRNG(seed: 1)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            let expected = bitwise(bytes)
            #expect(CRC32C.checksum(bytes) == expected)
            let cut = Int(chance.below(UInt64(count) + 1))
            var crc = CRC32C()
            crc.update(bytes[..<cut])
            crc.update(bytes[cut...])
            #expect(crc.value == expected)
            #expect(CRC32C.checksum(AnyCollection(bytes)) == expected)
        }
    }

    private func bitwise(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
        }
        return ~crc
    }

    /// The processor's instruction and the tables agree, at every length and alignment.
    @Test func theTablesAgreeWithTheInstruction() {
        var chance = PRNG(seed: 7)
        let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        for start in 0..<9 {
            for end in start..<bytes.count {
                let slice = bytes[start..<end]
                var byTable = CRC32C()
                slice.withUnsafeBytes { byTable.updateByTable($0) }
                #expect(byTable.value == CRC32C.checksum(slice))
            }
        }
    }
}
