//! Where a walk through an object is: segments on the stack, written out only for a fault.

use std::fmt;

/// A place in an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root(&'a str),
    Field(&'a str),
    Entry(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The object as a whole.
    pub(crate) const TOP: Path<'static> = Path::at("");

    /// A place that is known by its text.
    pub(crate) const fn at(text: &'a str) -> Self {
        let step = Step::Root(text);
        Self { parent: None, step }
    }

    /// A field of what is here.
    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        self.step(Step::Field(name))
    }

    /// An entry of the map that is here, as rules for values name it: like a field.
    pub(crate) fn entry(&'a self, key: &'a str) -> Self {
        self.step(Step::Entry(key))
    }

    /// An entry of the map that is here.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        self.step(Step::Key(key))
    }

    /// An item of the list that is here.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&'a self, step: Step<'a>) -> Self {
        let parent = Some(self);
        Self { parent, step }
    }

    /// Whether this is the object as a whole.
    pub(crate) fn is_top(&self) -> bool {
        matches!(self.step, Step::Root(""))
    }

    /// The place as a fault names it; upstream calls the object as a whole `<nil>`.
    pub(crate) fn text(&self) -> String {
        if self.is_top() {
            "<nil>".to_owned()
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root(text) => f.write_str(text),
            Step::Field(name) if self.parent.is_some_and(Path::is_top) => f.write_str(name),
            Step::Field(name) | Step::Entry(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[{key}]"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}
