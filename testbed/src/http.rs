//! HTTP/1.1 by hand, as small as it gets: the bytes, good and bad, are the testbed's own.

use std::io;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
};

const MAX_HEAD: u64 = 64 * 1024;
const MAX_BODY: usize = 1024 * 1024;

/// A request without its body.
pub(crate) struct Head {
    pub(crate) method: String,
    /// As it stands in the request line.
    pub(crate) target: String,
    /// In their order, names as they were written.
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Reads a request up to its body; none when the client has closed the connection.
pub(crate) async fn read_head(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<Head>> {
    let mut reader = reader.take(MAX_HEAD);
    let Some(request_line) = read_line(&mut reader).await? else {
        return Ok(None);
    };
    let mut parts = request_line.split(' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut head = Head {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
    };
    while let Some(line) = read_line(&mut reader).await? {
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Some(head));
        };
        head.headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Reads the body that `Content-Length` announces.
pub(crate) async fn read_body(
    head: &Head,
    reader: &mut (impl AsyncRead + Unpin),
) -> io::Result<Vec<u8>> {
    let length = match head.header("content-length") {
        Some(length) => length.parse().unwrap_or(usize::MAX),
        None => 0,
    };
    if length > MAX_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(body)
}

/// What is sent back.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Response {
        Response {
            status,
            content_type: "application/json",
            location: None,
            body: value.to_string(),
        }
    }

    pub(crate) async fn write(&self, writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let location = self
            .location
            .as_ref()
            .map_or_else(String::new, |location| format!("Location: {location}\r\n"));
        let text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{location}\r\n{}",
            self.status,
            reason_phrase(self.status),
            self.content_type,
            self.body.len(),
            self.body,
        );
        writer.write_all(text.as_bytes()).await?;
        writer.flush().await
    }
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        _ => "Other",
    }
}

/// The pairs of a query, percent-decoded, in their order.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key), percent_decode(value))
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = decode_first(*first, tail);
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn decode_first(first: u8, tail: &[u8]) -> (u8, &[u8]) {
    let mut byte = [0];
    match tail.split_at_checked(2) {
        Some((digits, rest))
            if first == b'%' && hex::decode_to_slice(digits, &mut byte).is_ok() =>
        {
            (byte[0], rest)
        }
        _ => (first, tail),
    }
}
