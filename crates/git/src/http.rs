//! Carries gix's requests over HTTP: shared connections, one exchange per operation.
//!
//! gix has such a transport too. This one exists because everything that protects us sits here:
//! the clock over the whole transfer, the byte count, the stop flag, where credentials may go,
//! which redirects are followed, and an error that says what happened. Must not know references
//! or objects.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use base64::Engine;
use reqwest::header::HeaderValue;

use crate::error::printable;
use crate::{Auth, Credentials, GitError, GitUrl, Limits, Refusal};

mod answer;
mod clock;
mod exchange;
mod failure;
mod message;

pub(crate) use clock::now;
pub(crate) use exchange::{Exchange, Watch};

const CONNECT: Duration = Duration::from_secs(10);

/// What all exchanges with one repository share: address, credentials, and a way to connect.
pub(crate) struct Client {
    pub(crate) http: Arc<reqwest::blocking::Client>,
    pub(crate) url: GitUrl,
    /// The address credentials belong to.
    pub(crate) home: reqwest::Url,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) limits: Limits,
}

impl Client {
    /// Prepares a client; connects to nothing.
    pub(crate) fn new(
        url: &GitUrl,
        home: &reqwest::Url,
        credentials: Credentials,
        limits: Limits,
    ) -> Result<Client, GitError> {
        let authorization = authorization(credentials.auth)?;
        if authorization.is_some() && url.is_plain_http() {
            return Err(GitError::Unauthorized {
                url: url.clone(),
                refusal: Refusal::PlainHttp,
            });
        }
        let tls = |why: String| GitError::Tls {
            url: url.clone(),
            why: printable(&why),
        };
        let http = connections(credentials.ca_pem.as_deref()).map_err(tls)?;
        Ok(Client {
            http,
            url: url.clone(),
            home: home.clone(),
            authorization,
            limits,
        })
    }
}

/// The connections in use, by the authorities they trust.
///
/// One per process instead of one per repository: each costs a thread, a parsed set of
/// authorities and a TLS handshake (0.4 MB, measured), and repositories share hosts. They hold no
/// credentials; those go with each request.
static CONNECTIONS: Mutex<Vec<Connections>> = Mutex::new(Vec::new());

struct Connections {
    trusted: Option<Vec<u8>>,
    http: Weak<reqwest::blocking::Client>,
}

fn connections(ca_pem: Option<&[u8]>) -> Result<Arc<reqwest::blocking::Client>, String> {
    let mut all = CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|connections| connections.http.strong_count() > 0);
    let found = all
        .iter()
        .find(|connections| connections.trusted.as_deref() == ca_pem);
    if let Some(client) = found.and_then(|connections| connections.http.upgrade()) {
        return Ok(client);
    }
    // Redirects are followed by `exchange`, which knows what may be sent where. A proxy would
    // come from the environment, which a library does not read.
    let mut builder = reqwest::blocking::Client::builder()
        .connect_timeout(CONNECT)
        // All repositories of a host share one HTTP/2 connection: a dead one must be noticed.
        .http2_keep_alive_interval(CONNECT)
        .http2_keep_alive_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(pem) = ca_pem {
        let certificates = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|_| "the given authorities are not a PEM certificate bundle".to_owned())?;
        if certificates.is_empty() {
            return Err("the given bundle of authorities holds no certificate".to_owned());
        }
        builder = builder.tls_certs_only(certificates);
    }
    let client = Arc::new(
        builder
            .build()
            .map_err(|error| failure::innermost(&error))?,
    );
    all.push(Connections {
        trusted: ca_pem.map(<[u8]>::to_vec),
        http: Arc::downgrade(&client),
    });
    Ok(client)
}

fn authorization(auth: Auth) -> Result<Option<HeaderValue>, GitError> {
    let text = match auth {
        Auth::None => return Ok(None),
        Auth::Basic { username, password } => {
            let pair = format!("{username}:{}", password.expose());
            format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(pair)
            )
        }
        Auth::Bearer(token) => format!("Bearer {}", token.expose()),
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| GitError::Local {
        why: "the credentials do not fit into an HTTP header".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}
