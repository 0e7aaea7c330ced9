//! Rule 3: what no watch shows is put right by the slow audit, which writes nothing else.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use suite::{Controller, Scene};
use testkit::eventually;
use tokio::sync::Mutex;

use crate::bad_stage::{Server, alone, config_map, shipment};
use crate::source::lonely;

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports:
    - {name: http, port: 80}
    - {name: metrics, port: 9090}
";

fn order(service: &Service) -> Vec<i32> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    ports.into_iter().flatten().map(|port| port.port).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_watch_shows_is_put_right_by_the_audit_which_writes_nothing_else() {
    let _turn = alone().await;
    let scene = Scene::with("audit", lonely()).await;
    let _controller = Controller::own(&scene.world, &["--audit-interval", "4s"]).await;
    let server = Server::start(|_| {}).await;
    server.write("web.yaml", SERVICE);
    server.write("a.yaml", config_map("a", "1"));
    server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", None).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let before = maps.get("a").await.expect("it is there").resource_version();

    // The order of a keyed list is nobody's: the fields and their owners stay the same.
    let services: Api<Service> = Api::namespaced(scene.client.clone(), scene.ns());
    let swap = json!([{"op": "move", "from": "/spec/ports/0", "path": "/spec/ports/1"}]);
    let swap = Patch::<()>::Json(serde_json::from_value(swap).expect("a JSON patch"));
    let swapped = services
        .patch("web", &PatchParams::default(), &swap)
        .await
        .expect("it can be patched");
    assert_eq!(order(&swapped), [9090, 80]);

    let seen = Mutex::new((scene.world.audit().await, 0));
    eventually("the order of Git", Duration::from_secs(30), || async {
        let found = order(&services.get("web").await.map_err(|e| e.to_string())?);
        (found == [80, 9090])
            .then_some(())
            .ok_or_else(|| format!("{found:?}"))
    })
    .await;
    eventually("two audits", Duration::from_secs(30), || async {
        let (window, count) = &mut *seen.lock().await;
        let all = window.requests().await.by("shipway").within(scene.ns());
        let again = all.only(|request| request.resource == "configmaps" && request.verb == "patch");
        *count += again.count();
        (*count >= 2)
            .then_some(())
            .ok_or_else(|| format!("{count}"))
    })
    .await;
    let after = maps.get("a").await.expect("it is there").resource_version();
    assert_eq!(before, after, "what was as in Git is not written");
    scene.until_ready("web", None).await;
}
