import LnurlChannel

/// A decoded LNURL without its decoding.
public final class FakeLnurl: Lnurl, @unchecked Sendable {
    private let fakeHost: String

    public init(host: String = "service.example") {
        fakeHost = host
        super.init(noHandle: NoHandle())
    }

    /// Only the library makes objects from handles; a fake has none.
    public required init(unsafeFromHandle handle: UInt64) {
        fakeHost = ""
        super.init(unsafeFromHandle: handle)
    }

    public override func host() -> String { fakeHost }
    public override func isOnion() -> Bool { fakeHost.hasSuffix(".onion") }
    public override func url() -> String { "https://\(fakeHost)/" }
}
