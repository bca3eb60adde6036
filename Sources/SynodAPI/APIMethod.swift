import SynodGRPC

/// The methods that are served. All others are answered with Unimplemented, which is how clients
/// find out.
enum APIMethod: Int, CaseIterable {
    case range
    case put
    case deleteRange
    case txn
    case compact
    case alarm
    case status
    case hash
    case hashKV
    case memberList
    case healthCheck

    static let table = MethodTable(
        allCases.map { MethodTable.Method(path: $0.path, requests: .single) })

    private var path: String {
        switch self {
        case .range: "/etcdserverpb.KV/Range"
        case .put: "/etcdserverpb.KV/Put"
        case .deleteRange: "/etcdserverpb.KV/DeleteRange"
        case .txn: "/etcdserverpb.KV/Txn"
        case .compact: "/etcdserverpb.KV/Compact"
        case .alarm: "/etcdserverpb.Maintenance/Alarm"
        case .status: "/etcdserverpb.Maintenance/Status"
        case .hash: "/etcdserverpb.Maintenance/Hash"
        case .hashKV: "/etcdserverpb.Maintenance/HashKV"
        case .memberList: "/etcdserverpb.Cluster/MemberList"
        case .healthCheck: "/grpc.health.v1.Health/Check"
        }
    }
}
