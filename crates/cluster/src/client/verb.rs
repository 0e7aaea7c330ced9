//! What a request to the API server is called: the verb that the server itself checks rights for.

use http::{Method, Request, header};

/// The verb of a request; `discovery` for all that asks what is served.
pub(super) fn verb<B>(request: &Request<B>) -> &'static str {
    let method = request.method();
    if method == Method::POST {
        return "create";
    }
    if method == Method::PUT {
        return "update";
    }
    if method == Method::DELETE {
        return "delete";
    }
    if method == Method::PATCH {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        return if kind.starts_with("application/apply-patch") {
            "apply"
        } else {
            "patch"
        };
    }
    read(
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
    )
}

fn read(path: &str, query: &str) -> &'static str {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (["api", _, below @ ..] | ["apis", _, _, below @ ..]) = parts.as_slice() else {
        return "discovery";
    };
    if below.is_empty() {
        return "discovery";
    }
    let watches = |part: &str| matches!(part, "watch" | "watch=true" | "watch=1");
    if query.split('&').any(watches) {
        return "watch";
    }
    // A namespace is an object of its own as well as the place of others.
    match below {
        [_] | ["namespaces", _, _] => "list",
        _ => "get",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, uri: &str, expected: &str) {
        let request = Request::builder().method(method).uri(uri).body(());
        assert_eq!(verb(&request.expect("it is a request")), expected);
    }

    #[test]
    fn each_request_has_the_verb_of_its_right() {
        check(Method::GET, "/apis", "discovery");
        check(Method::GET, "/apis/shipway.run/v1alpha1", "discovery");
        check(Method::GET, "/openapi/v2", "discovery");
        check(Method::GET, "/api/v1/namespaces", "list");
        check(Method::GET, "/api/v1/namespaces/shop", "get");
        check(Method::GET, "/api/v1/namespaces/shop/pods?limit=1", "list");
        check(Method::GET, "/api/v1/namespaces/shop/pods/web", "get");
        check(Method::GET, "/api/v1/pods?&watch=true&limit=1", "watch");
        check(
            Method::GET,
            "/apis/apps/v1/namespaces/shop/deployments/web/status",
            "get",
        );
        check(Method::POST, "/api/v1/namespaces", "create");
        check(Method::PUT, "/api/v1/namespaces/shop", "update");
        check(Method::DELETE, "/api/v1/namespaces/shop", "delete");
        check(Method::PATCH, "/api/v1/namespaces/shop", "patch");
    }

    #[test]
    fn an_apply_is_told_from_other_patches() {
        let request = Request::patch("/api/v1/namespaces/shop")
            .header(header::CONTENT_TYPE, "application/apply-patch+yaml")
            .body(());
        assert_eq!(verb(&request.expect("it is a request")), "apply");
    }
}
