//! No input makes the evaluator fail itself.

use serde_json::{Map, json};
use ytt::{Limits, Reason, compile};

const TEMPLATES: [&str; 4] = [
    include_str!("odd_input/blocks.yaml"),
    include_str!("odd_input/text.yaml"),
    include_str!("odd_input/overlay.yaml"),
    include_str!("odd_input/anchors.yaml"),
];

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }
}

fn mutate(text: &str, numbers: &mut Numbers) -> String {
    const PIECES: [&str; 24] = [
        "#@ ",
        "#@ end\n",
        "#@ if x:\n",
        "---\n",
        "- ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        "\"",
        "'",
        "\\",
        "\n",
        "  ",
        "#@overlay/match by='a'\n",
        "(@",
        "@)",
        "*a",
        "&a ",
        "é",
        "\t",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(chars.len());
        match numbers.below(4) {
            0 => {
                let end = (at + 1 + numbers.below(6)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[numbers.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let from = numbers.below(chars.len());
                let end = (from + numbers.below(30)).min(chars.len());
                let piece: Vec<char> = chars[from..end].to_vec();
                chars.splice(at..at, piece);
            }
            _ => {
                let other = numbers.below(chars.len());
                if at < chars.len() && other < chars.len() {
                    chars.swap(at, other);
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_templates_give_an_object_or_an_error() {
    let limits = Limits {
        ticks: 20_000,
        calls: 100,
        ..Limits::default()
    };
    let mut data = Map::new();
    data.insert(
        "l".to_owned(),
        json!([{"name": "a", "n": 1}, {"name": "b", "n": 2.5}]),
    );
    data.insert("m".to_owned(), json!({"a/b": "x", "c": null, "d": true}));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut objects = 0;
    for round in 0..1500 {
        let original = TEMPLATES[round % TEMPLATES.len()];
        let text = if round < TEMPLATES.len() {
            original.to_owned()
        } else {
            mutate(original, &mut numbers)
        };
        let result = compile("t", &text, &limits)
            .and_then(|template| template.evaluate(&data, &limits, |_| false));
        match result {
            Ok(_) => objects += 1,
            Err(error) => {
                assert!(round >= TEMPLATES.len(), "{error}");
                assert_ne!(error.reason, Reason::Crashed, "{error}\n{text}");
                assert!(error.to_string().len() <= 2048);
            }
        }
    }
    assert!(objects > 100, "{objects}");
}
