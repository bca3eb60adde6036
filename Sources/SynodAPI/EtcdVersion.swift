/// What we say to be, for clients that look before they use a feature.
package enum EtcdVersion {
    /// The release of etcd whose interface this is.
    package static let server = "3.6.5"
    /// The version of etcd's storage schema that goes with it.
    package static let storage = "3.6.0"
}
