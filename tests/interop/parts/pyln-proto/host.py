"""A host of hosted channels (LUD-07, bLIP-17) on Core Lightning's own BOLT-8 and message codec.

    python3 host.py '{"cert": "cert.pem", "key": "key.pem"}'

It writes a line of JSON for whatever happens:

    {"ready": {"version", "node_id"}}                first
    {"offer": {"lnurl"}}                             for each line {"k1": "hex", "answer": "..."} it reads
    {"connected": {"peer", "features"}}              `init` is exchanged; features as bit numbers
    {"invoked": {"peer", "message", "chain_is_regtest", "refund_scriptpubkey", "secret", "again"}}
    {"answered": {"name", "message"}}                what it sent in turn, if anything

Messages are whole, type included, in hex; `again` is the message put together anew from its fields.
The answer to an invocation is the one that its secret was offered with: `offer`, `exists`, `refuse`,
`silence` or `hang up`, which is silence from the second time on. It ends with its standard input.
"""

import json
import os
import ssl
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from io import BytesIO
from urllib.parse import urlencode, urlparse

from pyln.proto import bech32
from pyln.proto.message import Message, MessageNamespace
from pyln.proto.wire import LightningServerSocket, PrivateKey
from pyln.spec import bolt1

# bLIP-17, as csv, which is how Core Lightning's codec reads the BOLTs.
HOSTED = MessageNamespace("""\
msgtype,invoke_hosted_channel,65535
msgdata,invoke_hosted_channel,chain_hash,chain_hash,
msgdata,invoke_hosted_channel,refund_len,u16,
msgdata,invoke_hosted_channel,refund_scriptpubkey,byte,refund_len
msgdata,invoke_hosted_channel,secret_len,u16,
msgdata,invoke_hosted_channel,secret,byte,secret_len
msgtype,init_hosted_channel,65533
msgdata,init_hosted_channel,max_htlc_value_in_flight_msat,u64,
msgdata,init_hosted_channel,htlc_minimum_msat,u64,
msgdata,init_hosted_channel,max_accepted_htlcs,u16,
msgdata,init_hosted_channel,channel_capacity_msat,u64,
msgdata,init_hosted_channel,initial_client_balance_msat,u64,
msgdata,init_hosted_channel,features_len,u16,
msgdata,init_hosted_channel,features,byte,features_len
msgtype,last_cross_signed_state,65531
msgdata,last_cross_signed_state,is_host,byte,
msgdata,last_cross_signed_state,refund_len,u16,
msgdata,last_cross_signed_state,refund_scriptpubkey,byte,refund_len
msgdata,last_cross_signed_state,max_htlc_value_in_flight_msat,u64,
msgdata,last_cross_signed_state,htlc_minimum_msat,u64,
msgdata,last_cross_signed_state,max_accepted_htlcs,u16,
msgdata,last_cross_signed_state,channel_capacity_msat,u64,
msgdata,last_cross_signed_state,initial_client_balance_msat,u64,
msgdata,last_cross_signed_state,features_len,u16,
msgdata,last_cross_signed_state,features,byte,features_len
msgdata,last_cross_signed_state,block_day,u32,
msgdata,last_cross_signed_state,local_balance_msat,u64,
msgdata,last_cross_signed_state,remote_balance_msat,u64,
msgdata,last_cross_signed_state,local_updates,u32,
msgdata,last_cross_signed_state,remote_updates,u32,
msgdata,last_cross_signed_state,num_incoming_htlcs,u16,
msgdata,last_cross_signed_state,num_outgoing_htlcs,u16,
msgdata,last_cross_signed_state,remote_sig_of_local,signature,
msgdata,last_cross_signed_state,local_sig_of_remote,signature,
msgtype,error,63497
msgdata,error,channel_id,channel_id,
msgdata,error,len,u16,
msgdata,error,data,byte,len""".splitlines())

# The header of regtest's first block; its double SHA-256 is the chain hash.
REGTEST_GENESIS = bytes.fromhex(
    "01000000" + "00" * 32
    + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    + "dae5494dffff7f2002000000"
)
REGTEST = sha256(sha256(REGTEST_GENESIS).digest()).digest()

# option_data_loss_protect, var_onion_optin, option_static_remotekey, payment_secret,
# option_channel_type (BOLT-9), hosted_channels (bLIP-2): all optional.
FEATURES = [1, 9, 13, 15, 45, 257]

TERMS = {
    "max_htlc_value_in_flight_msat": 90_000_000,
    "htlc_minimum_msat": 1_000,
    "max_accepted_htlcs": 12,
    "channel_capacity_msat": 100_000_000,
    "initial_client_balance_msat": 7_000,
    "features": [],
}
REFUSAL = "this secret is for somebody else"

lock = threading.Lock()
answers = {}


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def encode(message):
    out = BytesIO()
    message.write(out)
    return out.getvalue()


def bits(features):
    """The numbers of the bits that are set; the last byte has the lowest eight."""
    number = int.from_bytes(bytes(features), "big")
    return [bit for bit in range(number.bit_length()) if number >> bit & 1]


def with_bits(numbers):
    number = sum(1 << bit for bit in numbers)
    return list(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def next_message(peer):
    """None once the peer has gone, which pyln-proto tells with ValueError."""
    try:
        return peer.read_message()
    except (OSError, ValueError):
        return None


def serve_peer(peer):
    peer.send_message(encode(Message(
        bolt1.init, globalfeatures=[], features=with_bits(FEATURES), tlvs={})))
    peer_id = peer.remote_pubkey.serializeCompressed().hex()
    while (raw := next_message(peer)) is not None:
        number = int.from_bytes(raw[:2], "big")
        if number == bolt1.init.number:
            init = Message.read(bolt1.namespace, BytesIO(raw))
            say(connected={"peer": peer_id, "features": bits(init.fields["features"])})
        elif number == bolt1.ping.number:
            ping = Message.read(bolt1.namespace, BytesIO(raw))
            pong = Message(bolt1.pong, ignored=[0] * ping.fields["num_pong_bytes"])
            peer.send_message(encode(pong))
        elif number == HOSTED.get_msgtype("invoke_hosted_channel").number:
            if not invoked(peer, peer_id, raw):
                return


def invoked(peer, peer_id, raw):
    """Tells of an invocation and answers it; false where it is to hang up."""
    invocation = Message.read(HOSTED, BytesIO(raw))
    secret = bytes(invocation.fields["secret"])
    refund = bytes(invocation.fields["refund_scriptpubkey"])
    say(invoked={
        "peer": peer_id,
        "message": raw.hex(),
        "chain_is_regtest": invocation.fields["chain_hash"] == REGTEST,
        "refund_scriptpubkey": refund.hex(),
        "secret": secret.hex(),
        "again": encode(invocation).hex(),
    })
    answer = answers[secret]
    if answer == "hang up":
        answers[secret] = "offer"
        return False
    message = reply(answer, refund)
    if message is not None:
        raw = encode(message)
        peer.send_message(raw)
        say(answered={"name": message.messagetype.name, "message": raw.hex()})
    return True


def reply(answer, refund):
    if answer == "offer":
        return Message(HOSTED.get_msgtype("init_hosted_channel"), **TERMS)
    if answer == "exists":
        return Message(
            HOSTED.get_msgtype("last_cross_signed_state"), **TERMS,
            is_host=1, refund_scriptpubkey=list(refund), block_day=20_000,
            local_balance_msat=93_000_000, remote_balance_msat=7_000_000,
            local_updates=3, remote_updates=4, num_incoming_htlcs=0, num_outgoing_htlcs=0,
            remote_sig_of_local=b"\x01" * 64, local_sig_of_remote=b"\x02" * 64)
    if answer == "refuse":
        return Message(
            HOSTED.get_msgtype("error"), channel_id=bytes(32), data=list(REFUSAL.encode()))
    return None


def accept_peers(server):
    while True:
        peer, _ = server.accept()
        threading.Thread(target=serve_and_close, args=(peer,), daemon=True).start()


def serve_and_close(peer):
    try:
        serve_peer(peer)
    finally:
        peer.connection.close()


class Offers(BaseHTTPRequestHandler):
    """LUD-07's first answer; the path is the secret."""

    def do_GET(self):
        offer = {
            "tag": "hostedChannelRequest",
            "uri": self.server.node_uri,
            "k1": urlparse(self.path).path[1:],
            "alias": "pyln-proto",
        }
        body = json.dumps(offer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def listen(options):
    key = PrivateKey(os.urandom(32))
    server = LightningServerSocket(key)
    server.bind(("127.0.0.1", 0))
    server.listen()
    threading.Thread(target=accept_peers, args=(server,), daemon=True).start()

    node_id = key.public_key().serializeCompressed().hex()
    offers = ThreadingHTTPServer(("127.0.0.1", 0), Offers)
    offers.node_uri = f"{node_id}@127.0.0.1:{server.getsockname()[1]}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["cert"], options["key"])
    offers.socket = context.wrap_socket(offers.socket, server_side=True)
    threading.Thread(target=offers.serve_forever, daemon=True).start()
    return node_id, offers


def lnurl(url):
    return bech32.bech32_encode("lnurl", bytes(bech32.convertbits(url.encode(), 8, 5)))


def main():
    node_id, offers = listen(json.loads(sys.argv[1]))
    say(ready={"version": version("pyln-proto"), "node_id": node_id})
    origin = f"https://localhost:{offers.server_port}"
    for line in sys.stdin:
        wish = json.loads(line)
        answers[bytes.fromhex(wish["k1"])] = wish["answer"]
        if wish.get("inline"):
            query = {"tag": "hostedChannelRequest", "uri": offers.node_uri, "k1": wish["k1"]}
            say(offer={"lnurl": lnurl(f"{origin}/?{urlencode(query)}")})
        else:
            say(offer={"lnurl": lnurl(f"{origin}/{wish['k1']}")})


main()
