//! A cluster behind a proxy, as the `proxy-url` of a kubeconfig names it.

use std::sync::{Arc, Mutex};

use serde_json::json;
use suite::{Scene, kubeconfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that makes tunnels, and remembers what it was asked for.
async fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let all = asked.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(tunnel(client, all.clone()));
        }
    });
    (address, asked)
}

async fn tunnel(mut client: TcpStream, asked: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let place = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked
        .lock()
        .expect("nothing panics while holding it")
        .push(head);
    let mut server = TcpStream::connect(place).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_reached_through_the_proxy_that_its_kubeconfig_names() {
    let scene = Scene::new("proxy").await;
    let (address, asked) = proxy().await;
    let mut config = kubeconfig::admin(&scene.world);
    let mut run = |url: &str| {
        config["clusters"][0]["cluster"]["proxy-url"] = json!(url);
        let (_folder, file) = kubeconfig::write(&config);
        scene.shipway_as(&file, &["get"])
    };
    let (code, _, err) = run(&format!("http://ada:p%40ss@{address}"));
    assert_eq!(code, 0, "{err}");
    let seen = asked
        .lock()
        .expect("nothing panics while holding it")
        .join("");
    assert!(seen.starts_with("CONNECT 127.0.0.1:"), "{seen}");
    assert!(
        seen.to_lowercase()
            .contains("proxy-authorization: basic ywrhonbac3m="),
        "{seen}"
    );
    let (code, _, err) = run("socks5://ada:hunter2@localhost:1080");
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("only proxies with `http` are supported"),
        "{err}"
    );
    assert!(!err.contains("hunter2"), "{err}");
}
