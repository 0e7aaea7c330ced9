//! The modules that templates load from `@ytt:`.

use starlark::environment::GlobalsBuilder;

mod assert;
mod base64;
mod bound;
pub(crate) mod data;
mod json;
mod overlay;
mod record;
mod regexp;
mod template;
mod yaml;

const PREFIX: &str = "@ytt:";
/// What there is here, each under the name of its module.
const NAMES: [&str; 9] = [
    "data", "yaml", "json", "base64", "assert", "struct", "template", "regexp", "overlay",
];
/// What genuine ytt has, and nobody was seen to use.
const LEFT_OUT: [&str; 9] = [
    "ip", "library", "math", "md5", "module", "sha256", "toml", "url", "version",
];

/// The name of a module that a template loads.
///
/// # Errors
///
/// There is none of that name here.
pub(crate) fn name(path: &str) -> Result<&'static str, String> {
    let Some(name) = path.strip_prefix(PREFIX) else {
        return Err(format!(
            "cannot load `{path}`: a template is alone, there are no other files"
        ));
    };
    if let Some(name) = NAMES.iter().find(|known| **known == name) {
        return Ok(name);
    }
    if LEFT_OUT.contains(&name) {
        return Err(format!("module `{path}` is not supported"));
    }
    Err(format!("there is no module `{path}`"))
}

/// Adds all modules, as variables that [`load`](crate::source::respell) assigns from.
pub(crate) fn all(globals: &mut GlobalsBuilder) {
    globals.namespace("__ytt_lib_yaml", yaml::functions);
    globals.namespace("__ytt_lib_json", json::functions);
    globals.namespace("__ytt_lib_base64", base64::functions);
    globals.namespace("__ytt_lib_assert", assert::functions);
    globals.namespace("__ytt_lib_struct", record::functions);
    globals.namespace("__ytt_lib_template", template::functions);
    globals.namespace("__ytt_lib_regexp", regexp::functions);
    globals.namespace("__ytt_lib_overlay", overlay::functions);
}

/// The text of an argument.
fn text_of<'v>(function: &str, value: starlark::values::Value<'v>) -> starlark::Result<&'v str> {
    value.unpack_str().ok_or_else(|| {
        let kind = value.get_type();
        crate::node::failure(format!("{function}: expected a string, but was {kind}"))
    })
}
