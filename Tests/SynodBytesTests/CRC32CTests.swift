import SynodBytes
import Testing

struct CRC32CTests {
    /// RFC 3720, appendix B.4.
    @Test func knownVectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum(Array(UInt8(0)...31)) == 0x46dd_794e)
        #expect(CRC32C.checksum((UInt8(0)...31).reversed()) == 0x113f_db5c)
        #expect(CRC32C.checksum("123456789".utf8) == 0xe306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }
}
