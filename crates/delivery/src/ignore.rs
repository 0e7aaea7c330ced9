//! `.shipwayignore`: which files of a tree do not count, in the syntax of `.gitignore`.
//!
//! One file at the root of the tree, be it a specification or an overlay; files of this name
//! further down mean nothing.

use manifest::{Problem, ProblemReason};

/// The name of the file that says which others do not count.
pub const FILE: &str = ".shipwayignore";
/// How many patterns are read: each is held against every path.
const MAX_PATTERNS: usize = 1_000;
/// How long a pattern may be, in bytes and in folders.
const MAX_PATTERN_BYTES: usize = 1_000;
const MAX_PATTERN_DEPTH: usize = 64;

/// The patterns of one `.shipwayignore`.
#[derive(Default)]
pub(crate) struct Ignore {
    patterns: Vec<Pattern>,
}

struct Pattern {
    /// The pattern cut at `/`; `**` is a segment of its own.
    segments: Vec<Vec<char>>,
    /// Whether a match counts the path in again.
    includes: bool,
    /// Whether only folders match.
    folders_only: bool,
}

impl Ignore {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let problem = Problem::new(ProblemReason::Binary, "the file is not UTF-8 text");
            return Err(problem.in_file(FILE));
        };
        let patterns: Vec<_> = text
            .lines()
            .filter_map(Pattern::read)
            .take(MAX_PATTERNS + 1)
            .collect();
        let too_long = text.lines().any(|line| line.len() > MAX_PATTERN_BYTES)
            || patterns
                .iter()
                .any(|pattern| pattern.segments.len() > MAX_PATTERN_DEPTH);
        if too_long || patterns.len() > MAX_PATTERNS {
            let message =
                format!("the file has more than {MAX_PATTERNS} patterns, or one that is too long");
            return Err(Problem::new(ProblemReason::TooLarge, message).in_file(FILE));
        }
        Ok(Self { patterns })
    }

    /// Whether a file does not count. As in Git, what lies in an ignored folder cannot be counted
    /// in again.
    pub(crate) fn ignores(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let segments: Vec<Vec<char>> = path.split('/').map(|part| part.chars().collect()).collect();
        (1..=segments.len()).any(|end| self.ignores_one(&segments[..end], end < segments.len()))
    }

    fn ignores_one(&self, path: &[Vec<char>], is_folder: bool) -> bool {
        let last = self.patterns.iter().rev().find(|pattern| {
            (is_folder || !pattern.folders_only) && matches_path(&pattern.segments, path)
        });
        last.is_some_and(|pattern| !pattern.includes)
    }
}

impl Pattern {
    fn read(line: &str) -> Option<Self> {
        // A space at the end counts only behind a backslash.
        let mut text = line.trim_end_matches(['\r', '\t']);
        while text.ends_with(' ') && !text.ends_with("\\ ") {
            text = &text[..text.len() - 1];
        }
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let (text, includes) = text
            .strip_prefix('!')
            .map_or((text, false), |rest| (rest, true));
        let (text, folders_only) = text
            .strip_suffix('/')
            .map_or((text, false), |rest| (rest, true));
        let anchored = text.contains('/');
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.is_empty() {
            return None;
        }
        let mut segments: Vec<Vec<char>> = Vec::new();
        if !anchored {
            segments.push(vec!['*', '*']);
        }
        for segment in text.split('/') {
            let segment: Vec<char> = segment.chars().collect();
            // Two in a row say nothing that one does not, and cost time.
            if !(is_any(&segment) && segments.last().is_some_and(|last| is_any(last))) {
                segments.push(segment);
            }
        }
        Some(Self {
            segments,
            includes,
            folders_only,
        })
    }
}

fn is_any(segment: &[char]) -> bool {
    segment.len() > 1 && segment.iter().all(|character| *character == '*')
}

/// Holds the segments of a pattern against those of a path, filling a table row by row: the time
/// is their product, whatever the pattern.
fn matches_path(pattern: &[Vec<char>], path: &[Vec<char>]) -> bool {
    // `reached[n]`: the pattern so far matches the first n segments of the path.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for (position, segment) in pattern.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if is_any(segment) {
            // At the end it stands for what is inside a folder, not for the folder itself.
            let least = usize::from(position + 1 == pattern.len() && position > 0);
            for (start, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
                for end in next.iter_mut().skip(start + least) {
                    *end = true;
                }
            }
        } else {
            for (index, name) in path.iter().enumerate() {
                next[index + 1] = reached[index] && matches_name(segment, name);
            }
        }
        reached = next;
    }
    reached[path.len()]
}

/// Holds one segment against one name. On a mismatch only the last `*` is tried again, one
/// character further on: any earlier one could not do better.
fn matches_name(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while seen < name.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at + 1, seen));
            at += 1;
            continue;
        }
        match matches_char(&pattern[at..], name[seen]) {
            Some(used) => {
                at += used;
                seen += 1;
            }
            None => match &mut retry {
                Some((after_star, from)) => {
                    *from += 1;
                    (at, seen) = (*after_star, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// How many characters of the pattern match the character, none if they do not.
fn matches_char(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        [] => None,
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        // As in Git, a class that never closes matches nothing.
        ['[', class @ ..] => {
            let end = class_end(class)?;
            matches_class(&class[..end], character).then_some(end + 2)
        }
        [plain, ..] => (*plain == character).then_some(1),
    }
}

fn is_negated(class: &[char]) -> bool {
    matches!(class.first(), Some('!' | '^'))
}

/// Where a class closes; a bracket at its very start is one of its characters.
fn class_end(class: &[char]) -> Option<usize> {
    let least = usize::from(is_negated(class)) + 1;
    let end = class.get(least..)?.iter().position(|c| *c == ']')?;
    Some(least + end)
}

/// Holds a class, without its brackets, against a character.
fn matches_class(class: &[char], character: char) -> bool {
    let negated = is_negated(class);
    let mut rest = &class[usize::from(negated)..];
    let mut found = false;
    while let Some(low) = rest.first() {
        let (high, used) = match rest {
            [_, '-', high, ..] => (high, 3),
            _ => (low, 1),
        };
        found |= (low..=high).contains(&&character);
        rest = &rest[used..];
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares which of the paths are ignored.
    #[track_caller]
    fn check(patterns: &str, paths: &str, ignored: &str) {
        let ignore = Ignore::read(patterns.as_bytes()).expect("patterns");
        let seen: Vec<_> = paths
            .split(' ')
            .filter(|path| ignore.ignores(path))
            .collect();
        assert_eq!(seen.join(" "), ignored);
    }

    #[test]
    fn reads_the_syntax_of_gitignore() {
        check(
            "# note\n\nci.yaml",
            "ci.yaml a/ci.yaml xci.yaml",
            "ci.yaml a/ci.yaml",
        );
        check("/ci.yaml", "ci.yaml a/ci.yaml", "ci.yaml");
        check("a/b.yaml", "a/b.yaml x/a/b.yaml", "a/b.yaml");
        check(
            "test/",
            "test/a.yaml x/test/a/b.yaml test",
            "test/a.yaml x/test/a/b.yaml",
        );
        check("*.json", "a.json a/b.json a.yaml", "a.json a/b.json");
        check("a?.yaml", "ab.yaml a.yaml abc.yaml", "ab.yaml");
        check("[a-c]x\n[!d]y", "ax dx dy ey", "ax ey");
        check("a/**/z", "a/z a/b/z a/b/c/z z", "a/z a/b/z a/b/c/z");
        check("**/z", "z a/z", "z a/z");
        check("a/**", "a/b a/b/c a b", "a/b a/b/c");
        check("*\n!keep.yaml", "keep.yaml other.yaml", "other.yaml");
        check("a/\n!a/keep.yaml", "a/keep.yaml", "a/keep.yaml");
        check("\\#x\n\\!y\nz\\ ", "#x !y z z\\ ", "#x !y");
        check("x  \r", "x y", "x");
        check("[x\n\\[y", "[x x [y", "[y");
        check("***/z", "z a/z", "z a/z");
        check("[]x]a\n[^]]b\n[a-]c", "]a xa ab ]b -c bc", "]a xa ab -c");
        check("", "a", "");
    }

    #[test]
    fn takes_no_time_for_a_hostile_pattern() {
        let pattern = format!("{}b\n{}z\n", "*a".repeat(400), "**/a/".repeat(30));
        let ignore = Ignore::read(pattern.as_bytes()).expect("patterns");
        assert!(!ignore.ignores(&"a/".repeat(500)));
        assert!(!ignore.ignores(&"a".repeat(4_000)));
    }

    #[test]
    fn bounds_its_patterns() {
        assert!(Ignore::read("x\n".repeat(1_001).as_bytes()).is_err());
        assert!(Ignore::read("x".repeat(1_001).as_bytes()).is_err());
        assert!(Ignore::read("x/".repeat(100).as_bytes()).is_err());
        assert!(Ignore::read(b"\xff").is_err());
    }
}
