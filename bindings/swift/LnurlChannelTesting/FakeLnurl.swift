import LnurlChannel

/// A decoded LNURL without its decoding.
public final class FakeLnurl: HandlelessLnurl, @unchecked Sendable {
    private let fakeHost: String

    public init(host: String = "service.example") {
        fakeHost = host
        super.init()
    }

    /// Only the library makes objects from handles; a fake has none.
    public required init(unsafeFromHandle handle: UInt64) {
        fatalError("a fake has no handle")
    }

    public override func host() -> String { fakeHost }
    public override func isOnion() -> Bool { fakeHost.hasSuffix(".onion") }
    public override func url() -> String { "https://\(fakeHost)/" }
}
