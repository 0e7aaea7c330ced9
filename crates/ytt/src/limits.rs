//! How much a template may use.

/// The bounds of one evaluation.
///
/// They hold what the evaluator itself can see. A single operation of Starlark that asks for all
/// memory (`[0] * 2000000000`) is not among that: whoever evaluates templates of others does so in
/// a process of its own, with a limit on its address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls, statements and turns of loops. They are to be used up before time is, since they are
    /// the same on every machine.
    pub ticks: u64,
    /// Calls within calls.
    pub calls: usize,
    /// Bytes of the Starlark heap.
    pub heap: usize,
    /// Nodes started or produced by values.
    pub nodes: usize,
    /// How deep YAML, JSON and values may nest.
    pub depth: usize,
    /// Bytes of text produced by encoders and text templates.
    pub text: usize,
    /// Bytes of a template.
    pub template: usize,
    /// Nodes that aliases may add, for each byte of a template.
    pub expansion: usize,
    /// Bytes of a regular expression.
    pub pattern: usize,
    /// Bytes of a compiled regular expression.
    pub compiled_pattern: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ticks: 500_000,
            calls: 1_000,
            heap: 128 << 20,
            nodes: 100_000,
            depth: 100,
            text: 3 << 19,
            template: 512 << 10,
            expansion: 10,
            pattern: 4 << 10,
            compiled_pattern: 1 << 20,
        }
    }
}
