//! One request through the CGI program `git http-backend`.
//!
//! Must not know who may ask. Request and answer are streamed; the program lives in the answer
//! and is ended with it.

use std::io;
use std::path::Path;
use std::process::Stdio;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::{HeaderName, HeaderValue, Response, StatusCode, header, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

/// The most bytes of headers the program may send.
const HEADER_BYTES: usize = 16 << 10;

/// Serves a request from the repositories below `root`.
pub(crate) async fn serve(
    root: &Path,
    protocol_v2: bool,
    parts: &request::Parts,
    body: impl Stream<Item = Result<Bytes, axum::Error>> + Send + Unpin + 'static,
) -> io::Result<Response<Body>> {
    let mut child = command(root, protocol_v2, parts).spawn()?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // Beside the answer: the program may answer before it has read everything.
    let mut upload = JoinSet::new();
    upload.spawn(async move {
        let mut body = body;
        while let Some(Ok(chunk)) = body.next().await {
            if stdin.write_all(&chunk).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = BytesMut::with_capacity(8 << 10);
    let end = loop {
        if let Some(end) = head_end(&buffer) {
            break end;
        }
        if buffer.len() > HEADER_BYTES || stdout.read_buf(&mut buffer).await? == 0 {
            return Err(io::Error::other("git http-backend sent no complete header"));
        }
    };
    let head = buffer.split_to(end);
    let running = Running {
        rest: buffer.freeze(),
        stdout,
        _child: child,
        _upload: upload,
    };
    let mut response = Response::new(Body::from_stream(running.stream()));
    apply_head(&head, &mut response);
    Ok(response)
}

/// The program in the middle of an answer.
struct Running {
    rest: Bytes,
    stdout: ChildStdout,
    _child: Child,
    _upload: JoinSet<()>,
}

impl Running {
    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        futures::stream::try_unfold(self, |mut running| async move {
            if !running.rest.is_empty() {
                let rest = std::mem::take(&mut running.rest);
                return Ok(Some((rest, running)));
            }
            let mut buffer = BytesMut::with_capacity(32 << 10);
            let count = running.stdout.read_buf(&mut buffer).await?;
            Ok((count > 0).then(|| (buffer.freeze(), running)))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this crate is what starts `git`")]
fn command(root: &Path, protocol_v2: bool, parts: &request::Parts) -> Command {
    let mut command = Command::new("git");
    crate::work_tree::isolate(command.as_std_mut());
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REMOTE_USER", "anybody")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut pass = |name: HeaderName, variable: &str| {
        if let Some(value) = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
        {
            command.env(variable, value);
        }
    };
    pass(header::CONTENT_TYPE, "CONTENT_TYPE");
    pass(header::CONTENT_LENGTH, "CONTENT_LENGTH");
    pass(header::CONTENT_ENCODING, "HTTP_CONTENT_ENCODING");
    if protocol_v2 {
        pass(HeaderName::from_static("git-protocol"), "GIT_PROTOCOL");
    }
    command
}

/// Where the body begins.
fn head_end(buffer: &[u8]) -> Option<usize> {
    let long = buffer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4);
    let short = buffer
        .windows(2)
        .position(|window| window == b"\n\n")
        .map(|at| at + 2);
    match (long, short) {
        (Some(long), Some(short)) => Some(long.min(short)),
        (long, short) => long.or(short),
    }
}

fn apply_head(head: &[u8], response: &mut Response<Body>) {
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            let code = value
                .get(..3)
                .and_then(|code| StatusCode::from_bytes(code).ok());
            *response.status_mut() = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        } else if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            response.headers_mut().append(name, value);
        }
    }
}
