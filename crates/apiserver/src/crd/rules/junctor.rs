//! Rules that are made of others: `anyOf`, `oneOf`, `allOf` and `not`.
//!
//! Where an alternative is missed, upstream speaks of the one that came closest, by how many of its
//! checks went well.

use serde_json::Value;

use super::{Outcome, Rules, Walk};
use crate::status::go_quote;
use crate::validate::Path;

impl Walk<'_> {
    pub(super) fn junctors(&self, rules: &Rules, value: &Value, at: &Path<'_>, out: &mut Outcome) {
        let path = || go_quote(&at.to_string());
        if !rules.any_of.is_empty() {
            let mut best: Option<Outcome> = None;
            let mut found = false;
            for clause in &rules.any_of {
                let result = self.node(clause, value, at);
                if !result.failed {
                    out.merge(result);
                    found = true;
                    break;
                }
                keep_best(&mut best, result);
            }
            if !found {
                let why = || format!("{} must validate at least one schema (anyOf)", path());
                self.unplaced(out, why);
                out.merge(best.unwrap_or_default());
            }
        }
        if !rules.one_of.is_empty() {
            self.one_of(rules, value, at, out);
        }
        if !rules.all_of.is_empty() {
            let mut valid = 0;
            for clause in &rules.all_of {
                let result = self.node(clause, value, at);
                valid += usize::from(!result.failed);
                out.merge(result);
            }
            if valid < rules.all_of.len() {
                let none = if valid == 0 { ". None validated" } else { "" };
                let why = || format!("{} must validate all the schemas (allOf){none}", path());
                self.unplaced(out, why);
            }
        }
        if let Some(not) = &rules.not
            && !self.node(not, value, at).failed
        {
            let why = || format!("{} must not validate the schema (not)", path());
            self.unplaced(out, why);
        }
    }

    fn one_of(&self, rules: &Rules, value: &Value, at: &Path<'_>, out: &mut Outcome) {
        let mut best: Option<Outcome> = None;
        let mut first: Option<Outcome> = None;
        let mut valid = 0;
        for clause in &rules.one_of {
            let result = self.node(clause, value, at);
            if !result.failed {
                valid += 1;
                best = None;
                first.get_or_insert(result);
            } else if valid == 0 {
                keep_best(&mut best, result);
            }
        }
        if valid == 1 {
            out.merge(first.unwrap_or_default());
            return;
        }
        self.unplaced(out, || {
            let found = if valid == 0 {
                "Found none valid".to_owned()
            } else {
                format!("Found {valid} valid alternatives")
            };
            let path = go_quote(&at.to_string());
            format!("{path} must validate one and only one schema (oneOf). {found}")
        });
        out.merge(best.unwrap_or_default());
    }
}

fn keep_best(best: &mut Option<Outcome>, result: Outcome) {
    if best
        .as_ref()
        .is_none_or(|best| result.matches > best.matches)
    {
        *best = Some(result);
    }
}
