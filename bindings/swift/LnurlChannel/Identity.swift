/// For lists: the id is stable across restarts.
extension ChannelRequest: Identifiable {
    public var id: String { requestId() }
}
