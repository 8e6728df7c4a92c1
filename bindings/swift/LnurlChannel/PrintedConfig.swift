extension ClientConfig: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// For logs: of the proxy only whether it is set. An address that the client refuses may hold a password.
    public var description: String {
        let fields = customMirror.children.map { "\($0.label ?? ""): \($0.value)" }
        return "ClientConfig(\(fields.joined(separator: ", ")))"
    }

    public var debugDescription: String { description }

    /// What `dump`, debuggers and failed tests show: the same.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "storageDir": storageDir as Any,
                "network": network,
                "proxy": proxy == nil ? "none" : "set",
                "extraRootCertificates": extraRootCertificates == nil ? "none" : "set",
                "allowPrivateHosts": allowPrivateHosts,
                "requestTimeoutSeconds": requestTimeoutSeconds,
                "connectTimeoutSeconds": connectTimeoutSeconds,
                "channelTimeoutSeconds": channelTimeoutSeconds,
                "reconnectSeconds": reconnectSeconds,
            ], displayStyle: .struct)
    }
}
