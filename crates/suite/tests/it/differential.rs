//! The embedded API server answers as the genuine one, to sequences of requests that chance made up.

use suite::differential::Pair;
use testkit::{Need, World};

/// The seeds of sequences, most of which were answered differently once. `cargo xtask soak` finds more.
#[rustfmt::skip]
const SEEDS: [u64; 100] = [
    3, 4, 6, 18, 21, 24, 26, 28, 30, 36, 40, 47, 52, 54, 55, 56, 57, 58, 60, 62, 65, 67, 70, 72,
    77, 78, 79, 83, 91, 93, 95, 106, 107, 109, 111, 113, 118, 119, 121, 124, 127, 128, 129, 130,
    131, 133, 135, 136, 138, 143, 144, 145, 146, 147, 148, 149, 150, 152, 156, 157, 160, 161, 162,
    163, 166, 168, 172, 176, 179, 180, 182, 183, 186, 193, 198, 200, 208, 213, 214, 215, 219, 220,
    223, 231, 232, 233, 237, 238, 239, 244, 245, 249, 250, 258, 264, 266, 267, 273, 278, 279,
];

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_answers_as_the_genuine_one() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let pair = Pair::start(world.state()).await;
    let differences = pair.differences(SEEDS.into_iter()).await;
    pair.stop().await;
    let texts: Vec<String> = differences.into_iter().map(|(_, text)| text).collect();
    assert!(
        texts.is_empty(),
        "{} of {} differ\n{}",
        texts.len(),
        SEEDS.len(),
        texts.join("\n")
    );
}
