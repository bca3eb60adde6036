// swift-tools-version: 6.2
// The manifest is the architecture: a target may import what is listed beside it and nothing else.

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Mistakes made on purpose, to see whether they are found: see scripts/planted.
let planted: [SwiftSetting] =
    Context.environment["SYNOD_PLANTED"] == nil ? [] : [.define("SYNOD_PLANTED_BUGS")]

/// A module of ours, with the settings that all of them share.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict + planted)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil)
    -> Target
{
    .testTarget(
        name: name, dependencies: dependencies, resources: resources,
        swiftSettings: strict + planted)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

/// Looks for them; shares the clusters of the core's tests.
let plantedFinder: [Target] =
    planted.isEmpty
    ? []
    : [
        .executableTarget(
            name: "PlantedFinder",
            dependencies: ["SynodExplorer", "SynodSimulation", "SynodPaxos", "SynodBytes"],
            path: "Tests/PlantedFinder", swiftSettings: strict + planted)
    ]

let package = Package(
    name: "synod",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "synod", targets: ["synod"]),
        .library(name: "SynodClient", targets: ["SynodClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Pure: no Foundation, NIO, clock, logging, async or randomness.
        .target(name: "CChecksum"),
        module("SynodBytes", ["CChecksum"]),
        module(
            "SynodPaxos", ["SynodBytes", deque],
            exclude: planted.isEmpty ? ["PlantedBug.swift"] : []),
        module("SynodExplorer", ["SynodBytes", "SynodPaxos"]),
        module("SynodStorage", ["SynodBytes"]),
        module(
            "SynodKeyspace",
            ["SynodBytes", "SynodStorage"] + (planted.isEmpty ? [] : ["SynodPaxos"])),
        module("SynodNode", ["SynodBytes", "SynodPaxos", "SynodStorage", "SynodKeyspace", deque]),
        module("SynodCheck", ["SynodBytes"]),

        // Whole clusters in virtual time; pure as well.
        module(
            "SynodSimulation",
            [
                "SynodBytes", "SynodPaxos", "SynodStorage", "SynodKeyspace", "SynodNode",
                "SynodCheck",
            ]),

        // The disk.
        .systemLibrary(
            name: "CRocksDB", pkgConfig: "rocksdb",
            providers: [.apt(["librocksdb-dev"]), .brew(["rocksdb"])]),
        module("SynodDisk", ["SynodBytes", "SynodStorage", "CRocksDB"]),

        // The network.
        module("SynodTransport", ["SynodBytes", nioCore, nioPosix, logging]),
        module("SynodGRPC", [nioCore, nioPosix, nioHTTP2, nioHPACK]),
        .target(name: "EtcdWire", dependencies: [protobuf]),

        // The server, the client and the tools around them.
        module(
            "SynodAPI",
            [
                "SynodBytes", "SynodPaxos", "SynodKeyspace", "SynodNode", "SynodGRPC", "EtcdWire",
                nioCore, nioPosix, protobuf,
            ]
        ),
        module(
            "SynodMetrics",
            [
                "SynodPaxos", "SynodKeyspace", "SynodNode", "SynodTransport", nioCore, nioPosix,
                nioHTTP1,
            ]),
        module(
            "SynodServer",
            [
                "SynodBytes", "SynodPaxos", "SynodStorage", "SynodKeyspace", "SynodNode",
                "SynodDisk", "SynodTransport", "SynodGRPC", "SynodAPI", "SynodMetrics", nioCore,
                nioPosix, logging,
            ]),
        module("SynodClient", ["SynodGRPC", "EtcdWire", nioCore, nioPosix, protobuf]),
        module("SynodBench", ["SynodClient", "EtcdWire", histogram, nioCore, nioPosix, protobuf]),
        module("SynodLauncher", ["SynodClient", "EtcdWire"]),
        module(
            "SynodChaos",
            [
                "SynodBytes", "SynodCheck", "SynodClient", "SynodLauncher", "SynodServer",
                "SynodTransport", "EtcdWire", nioCore, nioPosix,
            ]),
        .executableTarget(
            name: "synod",
            dependencies: [
                "SynodServer", "SynodAPI", "SynodClient", "SynodBench", "SynodLauncher",
                "SynodSimulation", "SynodChaos", "SynodExplorer", "SynodPaxos", "EtcdWire",
                arguments, logging, protobuf,
            ],
            swiftSettings: strict),

        tests("SynodBytesTests", ["SynodBytes"]),
        tests(
            "SynodPaxosTests", ["SynodPaxos", "SynodBytes"], resources: [.copy("Transcripts")]),
        tests("SynodExplorerTests", ["SynodExplorer", "SynodPaxos"]),
        tests("SynodStorageTests", ["SynodStorage", "SynodDisk", "SynodBytes"]),
        tests(
            "SynodKeyspaceTests",
            ["SynodKeyspace", "SynodStorage", "SynodBytes", "EtcdWire", protobuf]),
        tests("SynodNodeTests", ["SynodNode", "SynodPaxos", "SynodKeyspace", "SynodStorage"]),
        tests("SynodCheckTests", ["SynodCheck", "SynodBytes"]),
        tests("SynodSimulationTests", ["SynodSimulation", "SynodBytes", "SynodPaxos"]),
        tests("SynodTransportTests", ["SynodTransport", "SynodBytes", nioCore, nioPosix, logging]),
        tests(
            "SynodGRPCTests",
            [
                "SynodGRPC", "SynodBytes", nioCore, nioPosix, nioEmbedded, nioHTTP2, nioHPACK,
            ]),
        tests(
            "SynodAPITests",
            [
                "SynodAPI", "SynodClient", "SynodBytes", "SynodPaxos", "SynodKeyspace",
                "SynodNode", "EtcdWire", nioCore, nioPosix, protobuf,
            ]),
        tests(
            "SynodMetricsTests",
            [
                "SynodMetrics", "SynodPaxos", "SynodKeyspace", "SynodNode", "SynodTransport",
                nioCore, nioPosix, logging,
            ], resources: [.copy("Transcripts")]),
        tests("SynodServerTests", ["SynodServer", logging]),
        tests("SynodBenchTests", ["SynodBench", nioCore]),
        tests("SynodLauncherTests", ["SynodLauncher"]),
        tests("EndToEndTests", ["SynodBytes", "SynodClient", "EtcdWire", protobuf]),
    ] + plantedFinder
)
