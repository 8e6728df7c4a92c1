// Written by bindings/generate.sh, with UniFFI, from lnurl_channel.udl.
::uniffi::setup_scaffolding!("lnurl_channel");
// Export info about this UDL file
// See `uniffi_bindgen::macro_metadata` for how this is used.
const UNIFFI_META_CONST_UDL_LNURL_CHANNEL: ::uniffi::MetadataBuffer = ::uniffi::MetadataBuffer::from_code(::uniffi::metadata::codes::UDL_FILE)
    .concat_str("lnurl_channel")
    .concat_str("lnurl_channel")
    .concat_str("lnurl_channel");
#[doc(hidden)]
#[unsafe(no_mangle)]
pub static UNIFFI_META_UDL_LNURL_CHANNEL: [u8; UNIFFI_META_CONST_UDL_LNURL_CHANNEL.size] = UNIFFI_META_CONST_UDL_LNURL_CHANNEL.into_array();
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#BitcoinNetwork {
    r#Bitcoin {
    },
    r#Testnet {
    },
    r#Testnet4 {
    },
    r#Signet {
    },
    r#Regtest {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelConcern {
    r#AnchorReserve {
        r#missing_sat: u64,
    },
    r#VisibilityRefused {
        r#visibility: r#ChannelVisibility,
    },
    r#ZeroConfRefused {
    },
    r#TooManyPending {
        r#pending: u32,
    },
    r#OnionUnreachable {
    },
    r#HostedUnsupported {
    },
    r#PeerNotConnected {
    },
    r#ConnectionLost {
    },
    r#OtherVisibilityProposed {
    },
    r#ProposalFailed {
        r#reason: ::std::option::Option<::std::string::String>,
    },
    r#AnswerUnclear {
        r#words: ::std::option::Option<::std::string::String>,
    },
    r#NodeFailed {
        r#problem: r#NodeProblem,
    },
    r#ServiceUnreachable {
        r#problem: r#NetworkProblem,
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelKind {
    r#Funded {
    },
    r#Hosted {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelOutcome {
    r#Funded {
        r#channel: r#IncomingChannel,
    },
    r#HostedOffered {
        r#terms: r#HostedChannelTerms,
        r#message: ::std::vec::Vec<u8>,
    },
    r#HostedExists {
        r#message: ::std::vec::Vec<u8>,
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelRequestState {
    r#Offered {
    },
    r#Connecting {
    },
    r#Requesting {
    },
    r#Awaiting {
    },
    r#OutcomeUnknown {
    },
    r#Opening {
    },
    r#Arrived {
    },
    r#Ready {
    },
    r#Refused {
    },
    r#Cancelled {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelStage {
    r#Proposed {
    },
    r#Funded {
    },
    r#Ready {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelStep {
    r#Connecting {
    },
    r#Requesting {
    },
    r#Agreed {
    },
    r#AnswerUnclear {
    },
    r#Reconnecting {
    },
    r#Proposed {
    },
    r#Mismatched {
    },
    r#OpeningFailed {
    },
    r#Arrived {
    },
    r#Progressed {
    },
    r#Ready {
    },
    r#Changed {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelVerdict {
    r#Expected {
        r#request_id: ::std::string::String,
    },
    r#Duplicate {
        r#request_id: ::std::string::String,
    },
    r#WrongVisibility {
        r#request_id: ::std::string::String,
    },
    r#Unwanted {
        r#request_id: ::std::string::String,
    },
    r#Unrequested {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#ChannelVisibility {
    r#Unannounced {
    },
    r#Announced {
    },
}
// Error definitions, corresponding to `error` in the UDL.
#[::uniffi::udl_remote(Error)]
enum r#LnurlChannelError {
    r#InvalidLnurl {
        r#problem: r#LnurlProblem,
        r#reason: ::std::string::String,
    },
    r#UnsupportedTag {
        r#tag: ::std::string::String,
    },
    r#UnsafeUrl {
        r#problem: r#UrlProblem,
        r#reason: ::std::string::String,
    },
    r#TorRequired {
        r#host: ::std::string::String,
    },
    r#Unreachable {
        r#problem: r#NetworkProblem,
        r#reason: ::std::string::String,
    },
    r#InvalidResponse {
        r#reason: ::std::string::String,
    },
    r#OwnNode {
    },
    r#Refused {
        r#words: ::std::option::Option<::std::string::String>,
    },
    r#NodeFailed {
        r#problem: r#NodeProblem,
        r#reason: ::std::string::String,
    },
    r#NoChannel {
        r#service_agreed: bool,
        r#concerns: std::vec::Vec<r#ChannelConcern>,
        r#reason: ::std::string::String,
    },
    r#Cancelled {
    },
    r#WrongState {
        r#state: r#ChannelRequestState,
    },
    r#StorageFailed {
        r#reason: ::std::string::String,
    },
    r#InvalidConfig {
        r#reason: ::std::string::String,
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#LnurlProblem {
    r#NotLnurl {
    },
    r#Damaged {
    },
    r#Several {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#NetworkProblem {
    r#NoConnection {
    },
    r#TimedOut {
    },
    r#ConnectionLost {
    },
    r#CertificateDate {
    },
    r#CertificateUntrusted {
    },
    r#Proxy {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#NodeProblem {
    r#NotConnected {
    },
    r#TimedOut {
    },
    r#Unsupported {
    },
    r#Failed {
    },
}
// Enum definitions, corresponding to `enum` in UDL.
#[::uniffi::udl_remote(Enum)]
enum r#UrlProblem {
    r#NotHttps {
    },
    r#PrivateAddress {
    },
    r#Other {
    },
}
// Error definitions, corresponding to `error` in the UDL.
#[::uniffi::udl_derive(Error)]
enum r#WalletNodeError {
    r#Failed {
        r#reason: ::std::string::String,
    },
    r#Unsupported {
        r#reason: ::std::string::String,
    },
}
// Record definitions, implemented as method-less structs, corresponding to `dictionary` objects.
#[::uniffi::udl_remote(Record)]
struct r#ChannelOffer {
    r#kind: r#ChannelKind,
    r#peer: r#PeerAddress,
    r#service: ::std::option::Option<::std::string::String>,
    r#answered_by: ::std::option::Option<::std::string::String>,
    r#callback_host: ::std::option::Option<::std::string::String>,
    r#alias: ::std::option::Option<::std::string::String>,
}
#[::uniffi::udl_remote(Record)]
struct r#ChannelRequestSnapshot {
    r#request_id: ::std::string::String,
    r#revision: u64,
    r#offer: r#ChannelOffer,
    r#state: r#ChannelRequestState,
    r#is_running: bool,
    r#is_peer_connected: bool,
    r#visibility: ::std::option::Option<r#ChannelVisibility>,
    r#created_at_seconds: u64,
    r#updated_at_seconds: u64,
    r#waits_until_seconds: ::std::option::Option<u64>,
    r#channel: ::std::option::Option<r#IncomingChannel>,
    r#hosted_terms: ::std::option::Option<r#HostedChannelTerms>,
    r#concerns: std::vec::Vec<r#ChannelConcern>,
    r#refusal: ::std::option::Option<::std::string::String>,
    r#is_dismissed: bool,
}
#[::uniffi::udl_derive(Record)]
struct r#ClientConfig {
    r#storage_dir: ::std::option::Option<::std::string::String>,
    r#network: r#BitcoinNetwork,
    r#proxy: ::std::option::Option<::std::string::String>,
    r#extra_root_certificates: ::std::option::Option<::std::string::String>,
    r#allow_private_hosts: bool,
    r#request_timeout_seconds: u32,
    r#connect_timeout_seconds: u32,
    r#channel_timeout_seconds: u32,
    r#reconnect_seconds: u32,
}
#[::uniffi::udl_remote(Record)]
struct r#HostedChannelTerms {
    r#capacity_msat: u64,
    r#initial_client_balance_msat: u64,
    r#max_htlc_value_in_flight_msat: u64,
    r#htlc_minimum_msat: u64,
    r#max_accepted_htlcs: u16,
}
#[::uniffi::udl_remote(Record)]
struct r#IncomingChannel {
    r#peer_id: ::std::string::String,
    r#stage: r#ChannelStage,
    r#channel_id: ::std::option::Option<::std::string::String>,
    r#former_channel_id: ::std::option::Option<::std::string::String>,
    r#capacity_sat: ::std::option::Option<u64>,
    r#push_msat: ::std::option::Option<u64>,
    r#is_announced: ::std::option::Option<bool>,
    r#is_zero_conf: ::std::option::Option<bool>,
    r#confirmations: ::std::option::Option<u32>,
    r#confirmations_required: ::std::option::Option<u32>,
}
#[::uniffi::udl_remote(Record)]
struct r#NodeReadiness {
    r#channel_ids: std::vec::Vec<::std::string::String>,
    r#onchain_sat: ::std::option::Option<u64>,
    r#anchor_reserve_sat: ::std::option::Option<u64>,
    r#accepts_announced: ::std::option::Option<bool>,
    r#accepts_unannounced: ::std::option::Option<bool>,
    r#accepts_zero_conf: ::std::option::Option<bool>,
    r#pending_channels: ::std::option::Option<u32>,
    r#max_pending_channels: ::std::option::Option<u32>,
    r#reaches_onion: ::std::option::Option<bool>,
    r#has_custom_messages: ::std::option::Option<bool>,
}
#[::uniffi::udl_remote(Record)]
struct r#PeerAddress {
    r#node_id: ::std::string::String,
    r#host: ::std::string::String,
    r#port: u16,
}
// Top level functions, corresponding to UDL `namespace` functions.
#[::uniffi::export_for_udl]
pub fn r#decode_lnurl(
    r#text: ::std::string::String,
) -> ::std::result::Result::<::std::sync::Arc<r#Lnurl>, r#LnurlChannelError>
{
    unreachable!()
}
#[::uniffi::export_for_udl]
pub fn r#encode_lnurl(
    r#url: ::std::string::String,
) -> ::std::result::Result::<::std::string::String, r#LnurlChannelError>
{
    unreachable!()
}
// Object definitions, corresponding to UDL `interface` definitions.
#[::uniffi::udl_derive(Object)]
struct r#ChannelClient { }
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    #[uniffi::constructor]
    pub fn r#new(
        r#node: Box<dyn r#WalletNode>,
        r#listener: Box<dyn r#ChannelListener>,
        r#config: r#ClientConfig,
    ) -> ::std::result::Result::<::std::sync::Arc<r#ChannelClient>, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#check_peers(
        &self,
    )
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub async fn r#fetch(
        &self,
        r#lnurl: ::std::sync::Arc<r#Lnurl>,
    ) -> ::std::result::Result::<::std::sync::Arc<r#ChannelRequest>, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#report_channel_closed(
        &self,
        r#peer_id: ::std::string::String,
        r#channel_id: ::std::option::Option<::std::string::String>,
        r#reason: ::std::option::Option<::std::string::String>,
    )
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#report_incoming_channel(
        &self,
        r#channel: r#IncomingChannel,
    ) -> r#ChannelVerdict
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#report_peer_connection(
        &self,
        r#peer_id: ::std::string::String,
        r#is_connected: bool,
    )
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#report_peer_message(
        &self,
        r#peer_id: ::std::string::String,
        r#message_type: u16,
        r#payload: ::std::vec::Vec<u8>,
    ) -> bool
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#request(
        &self,
        r#request_id: ::std::string::String,
    ) -> ::std::option::Option<::std::sync::Arc<r#ChannelRequest>>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#requests(
        &self,
    ) -> std::vec::Vec<r#ChannelRequestSnapshot>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub async fn r#shutdown(
        &self,
    )
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelClient {
    pub fn r#take_answer(
        &self,
        r#lnurl: ::std::sync::Arc<r#Lnurl>,
        r#answer: ::std::string::String,
    ) -> ::std::result::Result::<::std::sync::Arc<r#ChannelRequest>, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl_derive(Debug)]
#[::uniffi::udl_derive(Object)]
struct r#ChannelRequest { }
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#accept(
        &self,
        r#visibility: r#ChannelVisibility,
    ) -> ::std::result::Result::<r#ChannelOutcome, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#ask_again(
        &self,
        r#visibility: r#ChannelVisibility,
    ) -> ::std::result::Result::<r#ChannelOutcome, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#await_ready(
        &self,
    ) -> ::std::result::Result::<r#IncomingChannel, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#cancel(
        &self,
    ) -> ::std::result::Result::<(), r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#dismiss(
        &self,
    ) -> ::std::result::Result::<(), r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub fn r#pause(
        &self,
    )
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub async fn r#preflight(
        &self,
        r#visibility: r#ChannelVisibility,
    ) -> ::std::result::Result::<std::vec::Vec<r#ChannelConcern>, r#LnurlChannelError>
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub fn r#receipt(
        &self,
    ) -> ::std::string::String
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub fn r#request_id(
        &self,
    ) -> ::std::string::String
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#ChannelRequest {
    pub fn r#snapshot(
        &self,
    ) -> r#ChannelRequestSnapshot
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl_derive(Debug)]
#[::uniffi::export_for_udl_derive(Display)]
#[::uniffi::export_for_udl_derive(Hash)]
#[::uniffi::export_for_udl_derive(Eq)]
#[::uniffi::udl_derive(Object)]
struct r#Lnurl { }
#[::uniffi::export_for_udl]
impl r#Lnurl {
    pub fn r#authority(
        &self,
    ) -> ::std::string::String
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#Lnurl {
    pub fn r#host(
        &self,
    ) -> ::std::string::String
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#Lnurl {
    pub fn r#is_onion(
        &self,
    ) -> bool
    {
        unreachable!()
    }
}
#[::uniffi::export_for_udl]
impl r#Lnurl {
    pub fn r#url(
        &self,
    ) -> ::std::string::String
    {
        unreachable!()
    }
}
// Callback Interface definitions, corresponding to UDL `callback interface` definitions.
#[::uniffi::export_for_udl(callback_interface)]
pub trait r#ChannelListener {
    fn r#on_request_changed(
        &self,
        r#request: r#ChannelRequestSnapshot,
        r#step: r#ChannelStep,
    ) -> ::std::result::Result::<(), r#WalletNodeError>;
}
#[::uniffi::export_for_udl(callback_interface)]
pub trait r#WalletNode {
    fn r#node_id(
        &self,
    ) -> ::std::result::Result::<::std::string::String, r#WalletNodeError>;
    fn r#readiness(
        &self,
        r#peer: r#PeerAddress,
    ) -> ::std::result::Result::<r#NodeReadiness, r#WalletNodeError>;
    fn r#connect(
        &self,
        r#peer: r#PeerAddress,
    ) -> ::std::result::Result::<bool, r#WalletNodeError>;
    fn r#release_peer(
        &self,
        r#peer: r#PeerAddress,
    ) -> ::std::result::Result::<(), r#WalletNodeError>;
    fn r#send_peer_message(
        &self,
        r#peer_id: ::std::string::String,
        r#message_type: u16,
        r#payload: ::std::vec::Vec<u8>,
    ) -> ::std::result::Result::<bool, r#WalletNodeError>;
    fn r#refund_script_pubkey(
        &self,
        r#request_id: ::std::string::String,
    ) -> ::std::result::Result::<::std::vec::Vec<u8>, r#WalletNodeError>;
}
// Export scaffolding checksums for UDL items
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_func_decode_lnurl() -> u16 {
    9079
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_func_encode_lnurl() -> u16 {
    37714
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_check_peers() -> u16 {
    26787
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_fetch() -> u16 {
    20067
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_report_channel_closed() -> u16 {
    26408
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_report_incoming_channel() -> u16 {
    57658
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_report_peer_connection() -> u16 {
    9667
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_report_peer_message() -> u16 {
    21642
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_request() -> u16 {
    28431
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_requests() -> u16 {
    37514
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_shutdown() -> u16 {
    54374
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelclient_take_answer() -> u16 {
    12906
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_accept() -> u16 {
    1372
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_ask_again() -> u16 {
    36800
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_await_ready() -> u16 {
    9312
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_cancel() -> u16 {
    38069
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_dismiss() -> u16 {
    7823
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_pause() -> u16 {
    63747
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_preflight() -> u16 {
    48583
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_receipt() -> u16 {
    27097
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_request_id() -> u16 {
    16163
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channelrequest_snapshot() -> u16 {
    14782
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_lnurl_authority() -> u16 {
    55519
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_lnurl_host() -> u16 {
    60622
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_lnurl_is_onion() -> u16 {
    27772
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_lnurl_url() -> u16 {
    7074
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_constructor_channelclient_new() -> u16 {
    62444
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_channellistener_on_request_changed() -> u16 {
    64058
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_node_id() -> u16 {
    24112
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_readiness() -> u16 {
    65162
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_connect() -> u16 {
    55715
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_release_peer() -> u16 {
    10649
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_send_peer_message() -> u16 {
    31842
}
#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn r#uniffi_lnurl_channel_checksum_method_walletnode_refund_script_pubkey() -> u16 {
    12491
}