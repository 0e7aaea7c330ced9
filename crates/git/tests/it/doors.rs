//! Credentials, certificates and redirects: who is let in, and what is sent to whom.

use git::{Auth, Credentials, GitError, GitUrl, Limits, Refusal, Repository, Secret};
use gitserver::{Fault, GitServer, ServerOptions};

use crate::world::{World, branch, files, get};

const PASSWORD: &str = "hunter2";

fn basic(password: &str) -> Auth {
    Auth::Basic {
        username: "ada".into(),
        password: Secret::new(password),
    }
}

fn guarded() -> World {
    World::with(|options| {
        options.auth = gitserver::Auth::Basic {
            username: "ada".into(),
            password: PASSWORD.into(),
        };
    })
}

#[track_caller]
fn refused(world: &World, auth: Auth, expected: &Refusal) {
    let repository = world
        .open_as("refused", "shop", auth, Limits::default())
        .expect("asks nobody");
    let error = repository
        .look_up(&[branch("main")])
        .expect_err("the door is shut");
    let GitError::Unauthorized { refusal, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(refusal, expected);
    assert!(!error.is_transient());
    for secret in [PASSWORD, "hunter3"] {
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}

#[test]
fn the_right_password_opens() {
    let world = guarded();
    world.push("a", "1");
    let repository = world
        .open_as("copy", "shop", basic(PASSWORD), Limits::default())
        .expect("opens");
    let before = world.server.requests();
    let tip = get(&repository, &branch("main")).expect("fetches");
    assert_eq!(files(&repository, tip, "").expect("reads"), ["a=1"]);
    let after = world.server.requests();
    let asked = after.all - before.all;
    assert_eq!(
        after.with_credentials - before.with_credentials,
        asked,
        "nothing is asked twice to be let in"
    );
}

#[test]
fn a_wrong_and_a_missing_password_are_told_apart() {
    let world = guarded();
    refused(&world, basic("hunter3"), &Refusal::NotAccepted);
    refused(&world, Auth::None, &Refusal::Missing);
    world.server.set_fault(Fault::Status(403));
    refused(&world, basic(PASSWORD), &Refusal::Forbidden);
}

#[test]
fn a_bearer_token_opens() {
    let world = World::with(|options| options.auth = gitserver::Auth::Bearer(PASSWORD.into()));
    world.push("a", "1");
    let auth = Auth::Bearer(Secret::new(PASSWORD));
    let repository = world
        .open_as("copy", "shop", auth, Limits::default())
        .expect("opens");
    get(&repository, &branch("main")).expect("fetches");
    refused(
        &world,
        Auth::Bearer(Secret::new("hunter3")),
        &Refusal::NotAccepted,
    );
    refused(&world, basic(PASSWORD), &Refusal::NotAccepted);
}

#[test]
fn credentials_do_not_go_over_plain_http() {
    let world = World::with(|options| options.tls = false);
    let Err(error) = world.open_as("refused", "shop", basic(PASSWORD), Limits::default()) else {
        panic!("it opened");
    };
    assert!(
        error
            .to_string()
            .ends_with("credentials are not sent over plain http: use an https URL"),
        "{error}"
    );
    world.push("a", "1");
    get(&world.open(Limits::default()), &branch("main"))
        .expect("plain http without credentials is fine");
}

#[test]
fn only_the_given_authority_is_trusted() {
    let world = World::new();
    world.push("a", "1");
    let other = World::new();
    let url = GitUrl::parse(&world.server.url("shop")).expect("an address");
    let wrong = other.server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    for (number, ca_pem) in [None, wrong].into_iter().enumerate() {
        let credentials = Credentials {
            auth: Auth::None,
            ca_pem,
        };
        let dir = world.dir.path().join(format!("untrusting{number}"));
        let repository = Repository::open(&dir, url.clone(), credentials, Limits::default())
            .expect("asks nobody");
        let error = repository
            .look_up(&[branch("main")])
            .expect_err("it is not trusted");
        assert!(matches!(error, GitError::Tls { .. }), "{error:?}");
    }
}

#[test]
fn a_server_without_tls_behind_https_is_told() {
    let world = World::with(|options| options.tls = false);
    let url = world.server.url("shop").replace("http:", "https:");
    let url = GitUrl::parse(&url).expect("an address");
    let dir = world.dir.path().join("plain");
    let repository = Repository::open(&dir, url, Credentials::default(), Limits::default())
        .expect("asks nobody");
    let error = repository
        .look_up(&[branch("main")])
        .expect_err("there is no TLS");
    assert!(matches!(error, GitError::Tls { .. }), "{error:?}");
}

#[test]
fn an_unreadable_authority_is_told_at_once() {
    let world = World::new();
    let url = GitUrl::parse(&world.server.url("shop")).expect("an address");
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    ] {
        let credentials = Credentials {
            auth: Auth::None,
            ca_pem: Some(pem.into()),
        };
        let Err(error) = Repository::open(
            &world.dir.path().join("x"),
            url.clone(),
            credentials,
            Limits::default(),
        ) else {
            panic!("it opened with {pem:?}");
        };
        assert!(matches!(error, GitError::Tls { .. }), "{error:?}");
    }
}

#[test]
fn a_redirect_on_the_same_host_is_followed_with_credentials() {
    let world = guarded();
    let tip = world.push("a", "1");
    // The old name of a repository that was renamed.
    let moved = world.server.url("shop");
    world.server.create_repository("old").expect("creates");
    let repository = world
        .open_as("copy", "old", basic(PASSWORD), Limits::default())
        .expect("opens");
    world.server.set_fault_once(Fault::RedirectExactly(format!(
        "{moved}/info/refs?service=git-upload-pack"
    )));
    let found = repository.look_up(&[branch("main")]).expect("follows");
    assert_eq!(found[&branch("main")], Some(tip));
}

#[test]
fn a_redirect_to_another_host_goes_without_credentials() {
    let world = World::new();
    let tip = world.push("a", "1");
    let (front, url) = front(&world, &world.server.url("").replace("/.git", ""));
    let ca = [world.server.ca_pem(), front.ca_pem()]
        .into_iter()
        .flatten()
        .collect::<String>();
    let credentials = Credentials {
        auth: basic(PASSWORD),
        ca_pem: Some(ca.into_bytes()),
    };
    let dir = world.dir.path().join("redirected");
    let repository = Repository::open(&dir, url, credentials, Limits::default()).expect("opens");
    let before = world.server.requests();
    repository
        .fetch(&branch("main"), tip, &crate::world::GO)
        .expect("follows");
    assert_eq!(
        front.requests().with_credentials,
        front.requests().all,
        "its own server is given them"
    );
    assert_eq!(
        world.server.requests().with_credentials,
        before.with_credentials
    );
    assert_eq!(
        front.requests().all,
        1,
        "what follows goes to the new place at once"
    );
}

#[test]
fn a_redirect_to_another_host_that_asks_for_credentials_is_told() {
    let world = guarded();
    let (front, url) = front(&world, &world.server.url("").replace("/.git", ""));
    let ca = [world.server.ca_pem(), front.ca_pem()]
        .into_iter()
        .flatten()
        .collect::<String>();
    let credentials = Credentials {
        auth: basic(PASSWORD),
        ca_pem: Some(ca.into_bytes()),
    };
    let dir = world.dir.path().join("redirected");
    let repository = Repository::open(&dir, url, credentials, Limits::default()).expect("opens");
    let error = repository
        .look_up(&[branch("main")])
        .expect_err("they are kept back");
    let GitError::Unauthorized { refusal, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(refusal, &Refusal::OtherHost("localhost".into()));
}

/// A server of the same name on another port that sends everybody to `target`.
fn front(world: &World, target: &str) -> (GitServer, GitUrl) {
    let mut options = ServerOptions::new(world.dir.path().join("front"));
    options.tls = true;
    let front = world
        .runtime
        .block_on(GitServer::start(options))
        .expect("a server");
    front.set_fault(Fault::RedirectTo(target.to_owned()));
    let url = GitUrl::parse(&front.url("shop")).expect("an address");
    (front, url)
}

#[test]
fn redirects_that_are_not_followed_are_explained() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let own = world.server.url("").replace("/.git", "");
    let plain = own.replace("https:", "http:");
    for (fault, why) in [
        (Fault::RedirectTo(plain), "it leaves https"),
        (
            Fault::RedirectTo(own.clone()),
            "there are too many redirects",
        ),
        (
            Fault::RedirectTo(own.replace("https://", "https://ada:hunter2@")),
            "the address holds credentials",
        ),
        (
            Fault::RedirectExactly(format!("{own}/login?back=shop")),
            "it is not the same request elsewhere (a login page, perhaps)",
        ),
    ] {
        world.server.set_fault(fault);
        let error = repository
            .look_up(&[branch("main")])
            .expect_err("it is not followed");
        let expected = format!(
            "`{}` redirects to where it is not followed: {why}",
            repository.url()
        );
        assert_eq!(error.to_string(), expected);
    }
}
