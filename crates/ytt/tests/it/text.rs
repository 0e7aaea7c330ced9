//! Text templates in strings.

use crate::{check_error, check_field};

#[test]
fn strings_below_the_annotation_are_text_templates() {
    let template = r#"#@ load("@ytt:data", "data")
#@yaml/text-templated-strings
script: |
  #!/bin/sh
  (@- for step in data.values.steps: @)
  run (@= step @)
  (@- end @)
  echo $(params.x)
#@yaml/text-templated-strings
"(@= 'a' + 'b' @)":
  x-(@= str(1 + 1) @): "(@ if True: @)yes(@ end @)"
plain: (@= x @)
"#;
    check_field(
        template,
        r#"{"steps": ["one", "two"]}"#,
        r##"{"ab":{"x-2":"yes"},"plain":"(@= x @)","script":"#!/bin/sh\nrun one\nrun two\necho $(params.x)\n"}"##,
    );
}

#[test]
fn functions_may_be_defined_in_text() {
    let template = r#"#@ def fragment():
k: v
#@ return "from yaml"
#@ end
#@yaml/text-templated-strings
a: |
  (@- def text(x): @)<(@= x @)>(@ end -@)
  (@= text("t") @) (@= fragment() @)
"#;
    check_field(template, "{}", r#"{"a":"<t> from yaml\n"}"#);
}

#[test]
fn only_strings_are_inserted() {
    check_error(
        "#@yaml/text-templated-strings\na: '(@= 1 @)'\n",
        "{}",
        "2: expected a string, but was int (hint: consider using str(...))",
    );
    check_error(
        "#@yaml/text-templated-strings\na: 'x (@ y'\n",
        "{}",
        "2: missing code closing '@)'",
    );
}

#[test]
fn an_error_in_a_block_names_its_line() {
    check_error(
        "#@yaml/text-templated-strings\na: |\n\n  x\n  (@= y @)\n",
        "{}",
        "5: undefined: y",
    );
}
