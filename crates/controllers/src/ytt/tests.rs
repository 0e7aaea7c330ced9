//! What is evaluated again, and what is not.

use futures::FutureExt as _;
use serde_json::json;

use super::*;

/// Answers with how often it was asked; templates may ask for more.
#[derive(Debug, Default)]
struct Counting(Mutex<usize>);

impl Evaluate for Counting {
    fn evaluate<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Value, Refusal>> {
        let mut count = self.0.lock().expect("no test panics here");
        *count += 1;
        let refusal = |may_pass| Refusal {
            is_certain: false,
            why: format!("refused {count}"),
            may_pass,
        };
        let outcome = match request.template {
            "busy" => Err(refusal(true)),
            "wrong" => Err(refusal(false)),
            "large" => Ok(json!({"count": *count, "text": "x".repeat(LARGEST_KEPT)})),
            "half" => Ok(json!({"count": *count, "text": "x".repeat(LARGEST_KEPT / 2)})),
            _ => Ok(json!({"count": *count})),
        };
        async { outcome }.boxed()
    }
}

fn told(templates: &Templates, template: &str, data: &Value) -> String {
    let data = data.as_object().expect("a test gives an object");
    let request = Request {
        name: "T/a",
        template,
        data,
    };
    let outcome = templates.evaluate(request).now_or_never();
    match outcome.expect("nothing waits") {
        Ok(object) => object["count"].to_string(),
        Err(refusal) => refusal.why,
    }
}

#[test]
fn what_has_not_changed_is_not_evaluated_again() {
    let templates = Templates::new(Arc::new(Counting::default()));
    assert_eq!(told(&templates, "a", &json!({})), "1");
    assert_eq!(told(&templates, "a", &json!({})), "1");
    assert_eq!(told(&templates, "a", &json!({"x": 1})), "2");
    assert_eq!(told(&templates, "b", &json!({})), "3");
    assert_eq!(told(&templates, "a", &json!({})), "1");
    assert_eq!(told(&templates, "wrong", &json!({})), "refused 4");
    assert_eq!(told(&templates, "wrong", &json!({})), "refused 4");
}

#[test]
fn what_may_pass_or_is_large_is_evaluated_again() {
    let templates = Templates::new(Arc::new(Counting::default()));
    assert_eq!(told(&templates, "busy", &json!({})), "refused 1");
    assert_eq!(told(&templates, "busy", &json!({})), "refused 2");
    assert_eq!(told(&templates, "large", &json!({})), "3");
    assert_eq!(told(&templates, "large", &json!({})), "4");
}

#[test]
fn what_is_kept_is_bounded() {
    let templates = Templates::new(Arc::new(Counting::default()));
    let most = 2 * MOST_KEPT / LARGEST_KEPT;
    for index in 0..most {
        told(&templates, "half", &json!({"index": index}));
    }
    let kept = templates.kept();
    assert!(kept.total <= MOST_KEPT, "{}", kept.total);
    assert_eq!(kept.order.len(), kept.outcomes.len());
    assert!(kept.order.len() < most);
}
