//! What is wrong with a file of a specification, said without quoting the file.

use std::fmt;

/// Why a document or a file does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
pub enum ProblemReason {
    /// The text is neither YAML nor JSON.
    Unparseable,
    /// A tab indents a line of YAML.
    Tab,
    /// The file is not UTF-8 text.
    Binary,
    /// A mapping names one key twice.
    DuplicateKey,
    /// Mappings and lists are nested too deep.
    TooDeep,
    /// The file, its number of documents or what its aliases expand to is too large.
    TooLarge,
    /// A document is a list or a scalar.
    NotAMapping,
    /// A document has no `apiVersion`.
    NoApiVersion,
    /// A document has no `kind`.
    NoKind,
    /// A document has no `metadata.name`.
    NoName,
    /// The `metadata.namespace` of a document is not text. It is not taken for absent: the object
    /// would land in another namespace than its author wrote.
    NoNamespace,
    /// A name or namespace that no object can have, since it is no segment of a path.
    NameInvalid,
    /// A document has `metadata.generateName`, so that every apply would create another object.
    GenerateName,
    /// A List holds another List.
    NestedList,
    /// Two documents name the same object.
    Duplicate,
    /// A patch for exactly one application finds no object.
    PatchWithoutTarget,
    /// A patch cannot be merged into its object.
    PatchInvalid,
    /// A symbolic link stands where a file could.
    LinkNotFollowed,
}

impl ProblemReason {
    /// The name of the variant, as in conditions and events.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for ProblemReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, with the place to mend it.
///
/// Guarantees: the message quotes nothing of the file but names of keys, kinds and objects, so it
/// may be shown wherever the file itself may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the root of the specification; empty if there is none.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The class of the problem.
    pub reason: ProblemReason,
    /// What is wrong, for a reader.
    pub message: String,
}

impl Problem {
    /// States a problem that no file is known for yet.
    pub fn new(reason: ProblemReason, message: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            line: None,
            reason,
            message: message.into(),
        }
    }

    /// Says where the problem is.
    #[must_use]
    pub fn at(mut self, file: &str, line: u32) -> Self {
        file.clone_into(&mut self.file);
        self.line = Some(line);
        self
    }

    /// Says which file the problem is in, where no single line is to blame.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            match self.line {
                Some(line) => write!(f, "{}:{line}: ", self.file)?,
                None => write!(f, "{}: ", self.file)?,
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
