//! A proxy on loopback, of both kinds on one port, that knows the service's onion name and
//! nothing else. It stands in for Tor.

use crate::http::{Head, Response, read_head};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

const ONION_PORT: u16 = 80;

const SOCKS5: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const SUCCEEDED: u8 = 0;
const NOT_ALLOWED: u8 = 2;
const COMMAND_NOT_SUPPORTED: u8 = 7;

/// How a client speaks to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProtocol {
    Socks5,
    /// A tunnel.
    HttpConnect,
    /// A request whose target is a whole URL.
    HttpForward,
}

/// A host that the proxy was asked for, allowed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedHost {
    /// A name, or an address where the client resolved it by itself.
    pub host: String,
    pub port: u16,
    pub protocol: ProxyProtocol,
    /// `user:password`, where the client gave them. Any are taken.
    pub credentials: Option<String>,
}

struct Core {
    onion_host: String,
    upstream: SocketAddr,
    asked: Mutex<Vec<AskedHost>>,
}

impl Core {
    /// Records what is asked for; true if it is the service's onion name.
    fn allows(
        &self,
        host: &str,
        port: u16,
        protocol: ProxyProtocol,
        credentials: Option<String>,
    ) -> bool {
        self.asked.lock().unwrap().push(AskedHost {
            host: host.to_owned(),
            port,
            protocol,
            credentials,
        });
        host == self.onion_host && port == ONION_PORT
    }
}

/// The testbed's proxy. Clones are the same proxy.
#[derive(Clone)]
pub struct Proxy {
    core: Arc<Core>,
    address: SocketAddr,
}

impl Proxy {
    pub(crate) async fn start(onion_host: String, upstream: SocketAddr) -> io::Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let core = Arc::new(Core {
            onion_host,
            upstream,
            asked: Mutex::default(),
        });
        tokio::spawn(listen(core.clone(), listener));
        Ok(Proxy { core, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `socks5h://…`
    pub fn socks_url(&self) -> String {
        format!("socks5h://{}", self.address)
    }

    /// `http://…`
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every host that was asked for, refused ones included.
    pub fn asked(&self) -> Vec<AskedHost> {
        self.core.asked.lock().unwrap().clone()
    }
}

async fn listen(core: Arc<Core>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // What becomes of one connection concerns nobody else.
        drop(tokio::spawn(serve(core.clone(), stream)));
    }
}

async fn serve(core: Arc<Core>, stream: TcpStream) -> io::Result<()> {
    let mut first_byte = [0];
    stream.peek(&mut first_byte).await?;
    if first_byte == [SOCKS5] {
        serve_socks(&core, stream).await
    } else {
        serve_http(&core, BufReader::new(stream)).await
    }
}

async fn serve_socks(core: &Core, mut client: TcpStream) -> io::Result<()> {
    let _version = client.read_u8().await?;
    let mut methods = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut methods).await?;
    let credentials = if methods.contains(&USER_AND_PASSWORD) {
        client.write_all(&[SOCKS5, USER_AND_PASSWORD]).await?;
        Some(read_credentials(&mut client).await?)
    } else {
        client.write_all(&[SOCKS5, NO_AUTHENTICATION]).await?;
        None
    };

    let [_version, command, _reserved, kind] = read_array(&mut client).await?;
    let Some(host) = read_socks_host(&mut client, kind).await? else {
        return Ok(());
    };
    let port = client.read_u16().await?;
    if !core.allows(&host, port, ProxyProtocol::Socks5, credentials) {
        return write_socks_reply(&mut client, NOT_ALLOWED).await;
    }
    if command != CONNECT {
        return write_socks_reply(&mut client, COMMAND_NOT_SUPPORTED).await;
    }
    let mut service = TcpStream::connect(core.upstream).await?;
    write_socks_reply(&mut client, SUCCEEDED).await?;
    copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

/// As in RFC 1929: a version, a user name and a password, each of the last with its length.
async fn read_credentials(client: &mut TcpStream) -> io::Result<String> {
    let _version = client.read_u8().await?;
    let mut parts = Vec::new();
    for _ in 0..2 {
        let mut part = vec![0; client.read_u8().await?.into()];
        client.read_exact(&mut part).await?;
        parts.push(String::from_utf8_lossy(&part).into_owned());
    }
    client.write_all(&[1, SUCCEEDED]).await?;
    Ok(parts.join(":"))
}

async fn read_array<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_socks_host(client: &mut TcpStream, kind: u8) -> io::Result<Option<String>> {
    Ok(match kind {
        IPV4 => Some(Ipv4Addr::from(read_array(client).await?).to_string()),
        IPV6 => Some(Ipv6Addr::from(read_array::<16>(client).await?).to_string()),
        NAME => {
            let mut name = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut name).await?;
            Some(String::from_utf8_lossy(&name).into_owned())
        }
        _ => None,
    })
}

async fn write_socks_reply(client: &mut TcpStream, code: u8) -> io::Result<()> {
    let bound_address = [0; 6];
    let reply = [&[SOCKS5, code, 0, IPV4][..], &bound_address].concat();
    client.write_all(&reply).await
}

async fn serve_http(core: &Core, mut client: BufReader<TcpStream>) -> io::Result<()> {
    let Some(head) = read_head(&mut client).await? else {
        return Ok(());
    };
    if head.method == "CONNECT" {
        tunnel(core, client, &head).await
    } else {
        forward(core, client, head).await
    }
}

async fn tunnel(core: &Core, mut client: BufReader<TcpStream>, head: &Head) -> io::Result<()> {
    let (host, port) = split_authority(&head.target);
    if !core.allows(host, port, ProxyProtocol::HttpConnect, None) {
        return refuse(client.get_mut()).await;
    }
    let mut service = TcpStream::connect(core.upstream).await?;
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

/// Forwards requests without bodies, which is all that LNURL has.
async fn forward(core: &Core, client: BufReader<TcpStream>, first: Head) -> io::Result<()> {
    let (from_client, mut to_client) = tokio::io::split(client);
    let Some(request) = to_origin_form(core, &first) else {
        return refuse(&mut to_client).await;
    };
    let (mut from_service, mut to_service) = TcpStream::connect(core.upstream).await?.into_split();
    let requests = async {
        to_service.write_all(request.as_bytes()).await?;
        let mut from_client = BufReader::new(from_client);
        while let Some(head) = read_head(&mut from_client).await? {
            let Some(request) = to_origin_form(core, &head) else {
                break;
            };
            to_service.write_all(request.as_bytes()).await?;
        }
        io::Result::Ok(())
    };
    tokio::select! {
        ended = requests => ended,
        ended = tokio::io::copy(&mut from_service, &mut to_client) => ended.map(drop),
    }
}

/// The request as the service expects it; none if the service is not whom it is for.
fn to_origin_form(core: &Core, head: &Head) -> Option<String> {
    let (host, port, target) = split_url(&head.target)?;
    if !core.allows(host, port, ProxyProtocol::HttpForward, None) {
        return None;
    }
    let headers = head.headers.iter();
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    Some(format!(
        "{} {target} HTTP/1.1\r\n{headers}\r\n",
        head.method
    ))
}

fn split_url(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, target) = rest.split_at(rest.find('/')?);
    let (host, port) = split_authority(authority);
    Some((host, port, target))
}

fn split_authority(authority: &str) -> (&str, u16) {
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(0)),
        None => (authority, ONION_PORT),
    }
}

async fn refuse(client: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let response = Response {
        status: 403,
        content_type: "text/plain",
        location: None,
        body: "this proxy knows the testbed's onion name only".to_owned(),
    };
    response.write(client).await
}
