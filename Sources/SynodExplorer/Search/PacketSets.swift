/// Sets of packets by number: what one replica has sent so far, or part of it.
struct PacketSets {
    private let ledger: Ledger
    private let replicas: Int
    private var sets = Interner<[Int32]>()
    private var unions = WordMap()
    /// By set and recipient: the number of what is addressed there.
    private var mails: [Int32] = []

    init(_ ledger: Ledger, replicas: Int) {
        self.ledger = ledger
        self.replicas = replicas
        _ = number([])
    }

    static let empty: Int32 = 0

    subscript(number: Int32) -> [Int32] { sets[number] }

    /// - Parameter packets: in ascending order, each once.
    mutating func number(_ packets: [Int32]) -> Int32 {
        let (number, isNew) = sets.intern(packets)
        if isNew {
            for recipient in 0..<replicas { mails.append(ledger.mail(packets, to: recipient)) }
        }
        return number
    }

    func mail(_ number: Int32, to recipient: Int) -> Int32 {
        mails[Int(number) * replicas + recipient]
    }

    mutating func union(_ one: Int32, _ other: Int32) -> Int32 {
        if one == other || other == Self.empty { return one }
        if one == Self.empty { return other }
        let key = WordMap.pair(one, other)
        if let known = unions[key] { return Int32(known) }
        let result = number(Set(sets[one] + sets[other]).sorted())
        unions.add(key, UInt32(result))
        return result
    }

    /// The set with other mail to one recipient.
    mutating func replacing(_ number: Int32, to recipient: Int, by mail: [Int32]) -> Int32 {
        let rest = sets[number].filter { ledger.packet($0).to != recipient }
        return self.number((rest + mail).sorted())
    }
}
