//! The proxy that a kubeconfig names with `proxy-url`: a tunnel through it, made by CONNECT.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use percent_encoding::percent_decode_str;
use tower::BoxError;

/// A tunnel through a proxy that speaks plain HTTP, with the credentials that its URL may hold.
///
/// # Errors
/// A sentence where the proxy is none that is spoken to; it does not repeat the URL.
pub(super) fn through(url: &Uri, tcp: HttpConnector) -> Result<Tunnel<HttpConnector>, BoxError> {
    let scheme = url.scheme_str().unwrap_or_default();
    if scheme != "http" || url.host().is_none() {
        return Err(format!(
            "its `proxy-url` has the scheme `{scheme}`: only proxies with `http` are supported"
        )
        .into());
    }
    let tunnel = Tunnel::new(url.clone(), tcp);
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    Ok(match authority.rsplit_once('@') {
        Some((login, _)) => tunnel.with_auth(basic(login)),
        None => tunnel,
    })
}

/// The header for a login as a URL writes it.
fn basic(login: &str) -> HeaderValue {
    let login: Vec<u8> = percent_decode_str(login).collect();
    let value = format!("Basic {}", STANDARD.encode(login));
    HeaderValue::try_from(value).expect("base64 is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &'static str, refused: Option<&str>) {
        let tunnel = through(&Uri::from_static(url), HttpConnector::new());
        let why = tunnel.err().map(|error| error.to_string());
        assert_eq!(why.is_some(), refused.is_some(), "{why:?}");
        let (why, refused) = (why.unwrap_or_default(), refused.unwrap_or_default());
        assert!(why.contains(refused), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn only_plain_http_proxies_are_spoken_to_and_no_password_is_repeated() {
        check("http://proxy.example:3128", None);
        check("http://ada:hunter2@proxy.example:3128", None);
        check("socks5://ada:hunter2@proxy.example", Some("`socks5`"));
        check("https://ada:hunter2@proxy.example", Some("`https`"));
    }

    #[test]
    fn a_login_is_sent_without_the_escapes_of_its_url() {
        assert_eq!(basic("ada:p%40ss"), "Basic YWRhOnBAc3M=");
    }
}
