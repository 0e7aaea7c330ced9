//! Where objects are found: the paths of the resource API.

use kube::core::ApiResource;

/// Where an object or a collection is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    path: String,
}

impl Resource {
    /// A collection: of a namespace, or of the cluster when there is none.
    pub fn collection(api: &ApiResource, namespace: Option<&str>) -> Self {
        let root = if api.group.is_empty() {
            format!("/api/{}", segment(&api.version))
        } else {
            format!("/apis/{}/{}", segment(&api.group), segment(&api.version))
        };
        let path = match namespace {
            Some(ns) => format!("{root}/namespaces/{}/{}", segment(ns), segment(&api.plural)),
            None => format!("{root}/{}", segment(&api.plural)),
        };
        Self { path }
    }

    /// An object of a collection.
    pub fn object(api: &ApiResource, namespace: Option<&str>, name: &str) -> Self {
        let Self { path } = Self::collection(api, namespace);
        Self {
            path: format!("{path}/{}", segment(name)),
        }
    }

    /// A sub-resource of an object.
    #[must_use]
    pub fn subresource(mut self, name: &str) -> Self {
        self.path.push('/');
        self.path.push_str(&segment(name));
        self
    }

    /// The path of the URL, without a query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// Encodes one path segment, so that a name taken from a file can never leave its place.
fn segment(text: &str) -> String {
    match text {
        "." | ".." => text.replace('.', "%2E"),
        text => encode(text),
    }
}

/// Encodes a query value.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(byte as char);
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(DIGITS[usize::from(byte >> 4)] as char);
            out.push(DIGITS[usize::from(byte & 15)] as char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let api = ApiResource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
        };
        let path = Resource::object(&api, Some("shop"), "../secrets?x=1").path;
        assert_eq!(
            path,
            "/apis/apps/v1/namespaces/shop/deployments/..%2Fsecrets%3Fx%3D1"
        );
    }
}
