import SynodBytes

/// The slots between a stamp's base and its own, and the keys that are touched there.
///
/// The commands of a stamped slot may be executed and answered while others before it are not
/// decided. Whoever reads after that comes behind all of these in the order of slots, and must not
/// miss what they write to its keys. Acceptors that lack such an entry know of it by the stamps of those
/// that they have: any majority shares one with the majority that has accepted a chosen entry. Who
/// has a no-op in such a slot lacks the entry: it may be chosen yet, as long as the no-op is not.
///
/// A departure from the design, by which a read waits for what acceptors have accepted: then
/// an answer could be in the past of one that was given before, for another key.
///
/// Kept as bytes: they are looked into by acceptors that lack an entry, for reads.
package struct PendingSlots: Hashable, Sendable {
    package let encoded: ArraySlice<UInt8>

    package init(encoded: ArraySlice<UInt8>) { self.encoded = encoded }

    package init() { encoded = [] }

    /// - Parameter slots: how many slots before, and what is touched there.
    package init(_ slots: [(distance: Int, keys: TouchedKeys)]) {
        var writer = ByteWriter(
            capacity: slots.reduce(0) { $0 + 4 + $1.keys.encoded.count })
        for (distance, keys) in slots {
            writer.writeVarint(UInt64(distance))
            writer.writeRaw(keys.encoded)
        }
        encoded = writer.bytes[...]
    }

    /// Calls with each slot, and with what is touched there; nil: it may be any key. Bytes that cannot
    /// be read may speak of any slot.
    func forEach(before slot: Slot, _ body: (Slot, [KeySpan]?) -> Void) {
        var reader = ByteReader(encoded)
        do throws(MalformedBytes) {
            while !reader.isAtEnd {
                let distance = try reader.readVarint()
                let spans = try reader.readOutline().spans
                if distance < slot.rawValue { body(Slot(slot.rawValue - distance), spans) }
            }
        } catch {
            for distance in 1...UInt64(Stamp.longestReach) where distance < slot.rawValue {
                body(Slot(slot.rawValue - distance), nil)
            }
        }
    }

    /// Those of the slots in which certainly nothing touches the span.
    func slots(before slot: Slot, apartFrom span: KeySpan) -> Set<Slot> {
        var apart = Set<Slot>()
        var touching = Set<Slot>()
        forEach(before: slot) { other, spans in
            if spans?.contains(where: { $0.overlaps(span) }) ?? true {
                touching.insert(other)
            } else {
                apart.insert(other)
            }
        }
        return apart.subtracting(touching)
    }
}

/// What the commands of one entry touch, in few bytes: where they are many, it may be any key.
package struct TouchedKeys: Hashable, Sendable {
    let encoded: Bytes

    package init(_ outlines: [Outline]) {
        var spans: [KeySpan]? = []
        var bytes = 0
        for outline in outlines {
            for span in outline.spans ?? [] { bytes += span.byteCount }
            guard let more = outline.spans, bytes <= Limits.touchedBytes else {
                spans = nil
                break
            }
            spans?.append(contentsOf: more)
        }
        var writer = ByteWriter(capacity: 16 + bytes)
        writer.write(Outline(isCertain: false, spans: spans))
        encoded = writer.bytes
    }

    /// Of an entry behind which everything waits anyhow.
    init() { encoded = [] }
}
