//! `@ytt:base64`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use crate::library::text_of;
use crate::node::failure;
use crate::run::budget;

#[starlark_module]
pub(super) fn functions(globals: &mut GlobalsBuilder) {
    /// The base64 of a string.
    fn encode<'v>(
        #[starlark(require = pos)] text: Value<'v>,
        #[starlark(require = named, default = false)] url: bool,
        #[starlark(require = named, default = false)] raw: bool,
        #[starlark(require = named, default = false)] strict: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let text = text_of("base64.encode", text)?;
        budget(eval)?.text(text.len().saturating_mul(2))?;
        Ok(engine(url, raw, strict).encode(text))
    }

    /// The string of base64.
    fn decode<'v>(
        #[starlark(require = pos)] text: Value<'v>,
        #[starlark(require = named, default = false)] url: bool,
        #[starlark(require = named, default = false)] raw: bool,
        #[starlark(require = named, default = false)] strict: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let text = text_of("base64.decode", text)?;
        budget(eval)?.text(text.len())?;
        let text: String = text
            .chars()
            .filter(|char| !matches!(char, '\r' | '\n'))
            .collect();
        let bytes = engine(url, raw, strict).decode(text);
        let bytes = bytes.map_err(|_| failure("base64.decode: the text is not base64"))?;
        String::from_utf8(bytes).map_err(|_| failure("base64.decode: the result is not UTF-8"))
    }
}

fn engine(url: bool, raw: bool, strict: bool) -> GeneralPurpose {
    let padding = if raw {
        DecodePaddingMode::RequireNone
    } else {
        DecodePaddingMode::RequireCanonical
    };
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(!raw)
        .with_decode_padding_mode(padding)
        .with_decode_allow_trailing_bits(!strict);
    let alphabet = if url {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    GeneralPurpose::new(alphabet, config)
}
