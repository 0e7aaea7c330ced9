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

#[tokio::test(flavor = "multi_thread")]
async fn with_new_credentials_a_source_is_known_and_read_as_before_until_it_answers() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().expect("there is room");
    let options = gitserver::ServerOptions {
        tls: true,
        ..gitserver::ServerOptions::new(dir.path().join("server"))
    };
    let server = gitserver::GitServer::start(options)
        .await
        .expect("it starts");
    server.create_repository("shop").expect("it can be created");
    let (url, ca) = (
        server.url("shop"),
        server.ca_pem().expect("it speaks TLS").to_owned(),
    );
    let (from, with, work) = (url.clone(), ca.clone(), dir.path().join("work"));
    tokio::task::spawn_blocking(move || {
        let work = gitserver::WorkTree::clone(&from, Some(&with), &gitserver::Auth::None, &work)?;
        work.write("web/a.yaml", "a: 1")?;
        work.push()
    })
    .await
    .expect("nothing panics")
    .expect("it can be pushed");
    let wish_as = |user: &str| {
        let data = [("username", user), ("password", "secret"), ("caFile", &ca)];
        let data = data.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
        let credentials = Credentials::from_secret(Some("kubernetes.io/basic-auth"), &data.into());
        Wish {
            url: GitUrl::parse(&url).expect("it is one"),
            reference: Reference::Branch("main".to_owned()),
            path: "web".to_owned(),
            credentials: credentials.expect("they are of the right shape"),
            interval: Duration::from_hours(1),
            ..wish("")
        }
    };
    let (mut sources, mut news) = sources();
    Arc::get_mut(&mut sources.0)
        .expect("nobody else has it")
        .cache = dir.path().join("cache");
    let web = shipment("web");
    let nothing = sources.follow(&web, &wish_as("ada")).await;
    assert_eq!(nothing, Ok(Known::default()));
    news.recv().await.expect("there is news");
    let before = sources.known(&web);
    let tree = before.at.expect("the branch is there").tree;
    let old = sources.of(&web).expect("it is followed");

    server.set_fault(gitserver::Fault::Status(401));
    let known = sources.follow(&web, &wish_as("bob")).await;
    assert_eq!(known.as_ref(), Ok(&before));
    news.recv().await.expect("there is news");
    let refused = sources.known(&web);
    assert_eq!(refused.at, before.at);
    assert_eq!(
        refused.trouble.map(|why| why.reason),
        Some(Reason::SourceUnauthorized)
    );
    let files = sources.read(&web, tree, |_| true).await;
    assert_eq!(files.expect("it can be read").len(), 1);
    assert_eq!(sources.repositories().len(), 2);
    assert!(!old.is_idle(), "somebody reads it");

    server.set_fault(gitserver::Fault::None);
    let answered = tokio::time::timeout(Duration::from_secs(10), async {
        while sources.known(&web) != before {
            news.recv().await.expect("there is news");
        }
    });
    answered.await.expect("it answers");
    assert!(old.is_idle());
    assert!(sources.read(&web, tree, |_| true).await.is_ok());

    // Another branch is another source, of which nothing is known.
    let other = Wish {
        reference: Reference::Branch("other".to_owned()),
        ..wish_as("ada")
    };
    assert_eq!(sources.follow(&web, &other).await, Ok(Known::default()));
    assert_eq!(sources.pause(&web, &wish_as("ada")), None);
}

#[tokio::test]
async fn overlays_of_environments_that_are_gone_are_left() {
    let (sources, _news) = sources();
    let followers = ["qa", "prod"].map(|name| Follower::Environment(name.to_owned()));
    for follower in followers.iter().chain([&shipment("web")]) {
        sources
            .follow(follower, &wish(""))
            .await
            .expect("it can be opened");
    }
    sources.keep_environments(&HashSet::from(["prod"]));
    assert!(!sources.follows(&followers[0]));
    assert!(sources.follows(&followers[1]) && sources.follows(&shipment("web")));
}
