//! Steps and what comes of them, as data: see `tests/README.md`.

mod notation;
mod recorded;
mod sets;
mod special;
mod tracked;
