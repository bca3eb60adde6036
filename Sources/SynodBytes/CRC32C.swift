import CChecksum

/// The Castagnoli cyclic redundancy check (CRC-32C, RFC 3720 appendix B.4): guards peer frames,
/// log records and snapshot files, and is the hash of etcd's HashKV.
package struct CRC32C: Sendable {
    @usableFromInline var register: UInt32

    @inlinable
    package init() {
        register = 0xffff_ffff
    }

    /// The checksum of all bytes so far.
    @inlinable
    package var value: UInt32 { ~register }

    @inlinable
    package static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    @inlinable
    package mutating func update(_ bytes: some Collection<UInt8>) {
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable { buffer in
            update(UnsafeRawBufferPointer(buffer))
        }
        if contiguous == nil { update(Array(bytes)) }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard Self.hasInstruction, let start = bytes.baseAddress else {
            return updateByTable(bytes)
        }
        register = synod_crc32c(register, start, bytes.count)
    }

    private static let hasInstruction = synod_has_crc32c()

    /// Eight bytes at a time through eight tables ("slicing by eight"), for processors without an
    /// instruction for it.
    package mutating func updateByTable(_ bytes: UnsafeRawBufferPointer) {
        var crc = register
        var offset = 0
        Self.tables.withUnsafeBufferPointer { table in
            while offset + 8 <= bytes.count {
                let word = UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let low = crc ^ UInt32(truncatingIfNeeded: word)
                let high = UInt32(truncatingIfNeeded: word >> 32)
                crc =
                    table[7 * 256 + Int(low & 0xff)]
                    ^ table[6 * 256 + Int((low >> 8) & 0xff)]
                    ^ table[5 * 256 + Int((low >> 16) & 0xff)]
                    ^ table[4 * 256 + Int(low >> 24)]
                    ^ table[3 * 256 + Int(high & 0xff)]
                    ^ table[2 * 256 + Int((high >> 8) & 0xff)]
                    ^ table[1 * 256 + Int((high >> 16) & 0xff)]
                    ^ table[Int(high >> 24)]
                offset += 8
            }
            while offset < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[offset])) & 0xff)] ^ (crc >> 8)
                offset += 1
            }
        }
        register = crc
    }

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
            tables[index] = crc
        }
        for slice in 1..<8 {
            for index in 0..<256 {
                let previous = tables[(slice - 1) * 256 + index]
                tables[slice * 256 + index] = tables[Int(previous & 0xff)] ^ (previous >> 8)
            }
        }
        return tables
    }()
}
