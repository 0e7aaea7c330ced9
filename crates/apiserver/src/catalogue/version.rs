//! The order of versions within a group.

/// Where a version stands: what is less is preferred.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Made by a definition, in the order that Kubernetes gives to names of versions.
    Custom(Name),
    /// Built in: its place in the data. Upstream ranks these below definitions in the same group.
    Builtin(usize),
}

/// A name of a version, in its order: `v2`, `v1`, `v2beta2`, `v2beta1`, `v1alpha1`, then the others by
/// letters. External rule: `version.CompareKubeAwareVersionStrings` of k8s.io/apimachinery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Stage (0 for stable ones, 1 for beta, 2 for alpha), then major and minor, larger ones first.
    Known(u8, std::cmp::Reverse<u64>, std::cmp::Reverse<u64>),
    /// Any other name.
    Other(Box<str>),
}

impl Rank {
    pub(super) fn builtin(place: usize) -> Self {
        Self::Builtin(place)
    }

    pub(super) fn custom(name: &str) -> Self {
        Self::Custom(known(name).unwrap_or_else(|| Name::Other(name.into())))
    }
}

fn known(name: &str) -> Option<Name> {
    let (major, rest) = number(name.strip_prefix('v')?)?;
    let (stage, minor) = if rest.is_empty() {
        (0, 0)
    } else {
        let (stage, rest) = match rest.strip_prefix("beta") {
            Some(rest) => (1, rest),
            None => (2, rest.strip_prefix("alpha")?),
        };
        let (minor, rest) = if rest.is_empty() {
            (0, rest)
        } else {
            number(rest)?
        };
        if !rest.is_empty() {
            return None;
        }
        (stage, minor)
    };
    Some(Name::Known(
        stage,
        std::cmp::Reverse(major),
        std::cmp::Reverse(minor),
    ))
}

/// Digits without a leading zero, and what follows.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.starts_with('0') {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_kubernetes() {
        let wanted = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "foo1",
            "foo10",
            "v1x",
        ];
        let mut names = wanted;
        names.reverse();
        names.sort_by_key(|name| Rank::custom(name));
        assert_eq!(names, wanted);
    }
}
