//! Who follows what, and what is kept of it.

use std::path::Path;

use super::*;

fn sources() -> (Sources, mpsc::UnboundedReceiver<Follower>) {
    let (changes, news) = mpsc::unbounded_channel();
    let sources = Sources::new(
        PathBuf::from("/nowhere"),
        Limits::default(),
        changes,
        Arc::default(),
        CancellationToken::new(),
    );
    (sources, news)
}

fn wish(repository: &str) -> Wish {
    // The repository of this very workspace is read in place and never written.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Wish {
        url: GitUrl::local(&root.join(repository)),
        reference: Reference::Branch("none-of-this-name".to_owned()),
        branch: None,
        path: String::new(),
        credentials: Credentials::default(),
        interval: Duration::from_secs(1),
    }
}

fn shipment(name: &str) -> Follower {
    Follower::Shipment("shop".to_owned(), name.to_owned())
}

#[tokio::test]
async fn a_repository_that_nobody_follows_is_closed_after_a_while() {
    let (sources, mut news) = sources();
    for name in ["web", "api"] {
        let known = sources.follow(&shipment(name), &wish("")).await;
        assert_eq!(known, Ok(Known::default()));
    }
    assert_eq!(sources.repositories().len(), 1, "both follow the same one");
    news.recv().await.expect("there is news");
    let trouble = sources
        .known(&shipment("web"))
        .trouble
        .expect("the branch is missing");
    assert_eq!(trouble.reason, Reason::SourceMissing);
    sources.unfollow(&shipment("web"));
    sources.unfollow(&shipment("api"));
    let closed = tokio::time::timeout(Duration::from_secs(10), async {
        while !sources.repositories().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    closed.await.expect("it is closed");
    // Whoever comes later opens it again.
    let known = sources.follow(&shipment("web"), &wish("./")).await;
    assert_eq!(known, Ok(Known::default()));
}

#[tokio::test]
async fn a_push_event_finds_a_repository_however_it_is_written() {
    let (sources, _news) = sources();
    assert_eq!(sources.pushed("https://git.example/shop.git"), 0);
    let place = ("https://git.example/shop".to_owned(), String::new());
    let opened = Repository::open(
        Path::new("/nowhere"),
        wish("").url,
        Credentials::default(),
        Limits::default(),
    );
    let followed = Arc::new(Followed::new(opened.expect("it is there")));
    sources.repositories().insert(place, followed);
    for url in [
        "https://git.example/shop",
        "https://git.example/shop.git",
        "https://GIT.example/shop/",
    ] {
        assert_eq!(sources.pushed(url), 1, "{url}");
    }
    assert_eq!(sources.pushed("https://git.example/shops"), 0);
}
