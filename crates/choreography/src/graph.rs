//! The order in which a blueprint's resources can be stamped.
//!
//! Resources may be listed in any order: what matters is whose output goes into whom.

use kinds::cartographer::blueprint::Resource;

/// Resources of which each needs the output of the one before it, and the first that of the last.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Cycle {
    /// Their names, beginning with the one that is listed first.
    pub resources: Vec<String>,
}

impl Cycle {
    fn sentence(&self) -> String {
        let first = self.resources.first().map_or("", String::as_str);
        format!(
            "resource [{first}] needs its own output: [{}] -> [{first}]",
            self.resources.join("] -> [")
        )
    }
}

/// The indices of resources, each after all those whose output goes into it; in listed order where
/// there is a choice. References to resources that do not exist do not count.
///
/// # Errors
///
/// Where resources need each other in a circle.
pub fn order(resources: &[Resource]) -> Result<Vec<usize>, Cycle> {
    let needs = needs(resources);
    let mut is_placed = vec![false; resources.len()];
    let mut order = Vec::with_capacity(resources.len());
    while order.len() < resources.len() {
        let free = (0..resources.len())
            .find(|&index| !is_placed[index] && needs[index].iter().all(|&need| is_placed[need]));
        let Some(free) = free else {
            return Err(circle(resources, &needs, &is_placed));
        };
        is_placed[free] = true;
        order.push(free);
    }
    Ok(order)
}

/// For each resource the indices of those whose output goes into it.
pub fn needs(resources: &[Resource]) -> Vec<Vec<usize>> {
    let place = |name: &str| resources.iter().position(|resource| resource.name == name);
    resources
        .iter()
        .map(|resource| resource.producers().filter_map(place).collect())
        .collect()
}

/// Every resource that could not be placed needs another such one, so that following the needs
/// leads into a circle.
fn circle(resources: &[Resource], needs: &[Vec<usize>], is_placed: &[bool]) -> Cycle {
    let mut path: Vec<usize> = Vec::new();
    let mut at = is_placed.iter().position(|placed| !placed).unwrap_or(0);
    while !path.contains(&at) {
        path.push(at);
        let next = needs[at].iter().find(|&&need| !is_placed[need]);
        at = *next.expect("what is not placed needs something that is not");
    }
    let start = path.iter().position(|&index| index == at).unwrap_or(0);
    let mut members = path.split_off(start);
    let first = members.iter().enumerate().min_by_key(|&(_, &index)| index);
    let first = first.map_or(0, |(place, _)| place);
    members.rotate_left(first);
    let names = members
        .into_iter()
        .map(|index| resources[index].name.clone());
    Cycle {
        resources: names.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::cartographer::blueprint::{DeploymentReference, ResourceReference};

    /// Each word is a resource: its name, and after `<` those whose output goes into it.
    fn resources(listed: &str) -> Vec<Resource> {
        let resource = |word: &str| {
            let (name, sources) = word.split_once('<').unwrap_or((word, ""));
            let sources = sources.split(',').filter(|source| !source.is_empty());
            let sources = sources.map(|source| ResourceReference {
                name: "input".to_owned(),
                resource: source.to_owned(),
            });
            Resource {
                name: name.to_owned(),
                sources: sources.collect(),
                ..Resource::default()
            }
        };
        listed.split(' ').map(resource).collect()
    }

    #[track_caller]
    fn check(listed: &str, wanted: &str) {
        let resources = resources(listed);
        let said = match order(&resources) {
            Ok(order) => {
                let names = order.iter().map(|&index| resources[index].name.as_str());
                names.collect::<Vec<_>>().join(" ")
            }
            Err(cycle) => cycle.to_string(),
        };
        assert_eq!(said, wanted);
    }

    #[test]
    fn listed_order_stays_where_it_can() {
        check("c b a", "c b a");
        check("a b<a c<a,b", "a b c");
    }

    #[test]
    fn a_resource_may_be_listed_before_those_that_it_needs() {
        check("image<source source config<image", "source image config");
        check("a<c x b c<b", "x b c a");
    }

    #[test]
    fn an_unknown_resource_is_not_waited_for() {
        check("a<nowhere b", "a b");
    }

    #[test]
    fn a_cycle_is_named() {
        check("a<a", "resource [a] needs its own output: [a] -> [a]");
        check(
            "x a<b,x b<c c<a d<c",
            "resource [a] needs its own output: [a] -> [b] -> [c] -> [a]",
        );
        check(
            "d<c c<a a<b b<c",
            "resource [c] needs its own output: [c] -> [a] -> [b] -> [c]",
        );
    }

    #[test]
    fn a_deployment_is_needed_as_well() {
        let mut resources = resources("deploy source");
        resources[0].deployment = Some(DeploymentReference {
            resource: "source".to_owned(),
        });
        assert_eq!(order(&resources), Ok(vec![1, 0]));
    }
}
