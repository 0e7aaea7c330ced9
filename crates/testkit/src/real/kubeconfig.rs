//! Writes kubeconfigs with everything inside, so that one file can be handed around.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pki::Pair;

/// A context: name and URL of the API server.
pub(crate) struct Context<'a> {
    pub(crate) name: &'a str,
    pub(crate) server: &'a str,
}

/// A kubeconfig with one context per cluster and one user; the first context is the current one.
pub(crate) fn render(contexts: &[Context<'_>], authority: &str, user: &Pair) -> String {
    let authority = STANDARD.encode(authority);
    let certificate = STANDARD.encode(&user.public);
    let key = STANDARD.encode(&user.private);
    let current = contexts.first().map_or("", |context| context.name);

    let mut text =
        format!("apiVersion: v1\nkind: Config\ncurrent-context: \"{current}\"\nclusters:\n");
    let infallible = "writing to a String cannot fail";
    for Context { name, server } in contexts {
        write!(text, "- name: \"{name}\"\n  cluster:\n    server: \"{server}\"\n    certificate-authority-data: {authority}\n")
            .expect(infallible);
    }
    text.push_str("contexts:\n");
    for Context { name, .. } in contexts {
        write!(
            text,
            "- name: \"{name}\"\n  context: {{cluster: \"{name}\", user: user}}\n"
        )
        .expect(infallible);
    }
    write!(
        text,
        "users:\n- name: user\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    )
    .expect(infallible);
    text
}
