import Foundation

extension LnurlChannelError: LocalizedError {
    /// The sentence of `describe()`, so that `localizedDescription` is fit to show.
    public var errorDescription: String? { describe() }
}

extension WalletNodeError: LocalizedError {
    /// The wallet's own reason.
    public var errorDescription: String? {
        switch self {
        case .Failed(let reason), .Unsupported(let reason): reason
        }
    }
}
