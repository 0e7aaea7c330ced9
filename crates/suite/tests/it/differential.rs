//! The embedded API server answers as the genuine one, to sequences of requests that chance made up.

use suite::differential::Pair;
use testkit::{Need, World};

/// The seeds of sequences that were answered differently once, but for a few. `cargo xtask soak` runs more.
#[rustfmt::skip]
const SEEDS: [u64; 100] = [
    2, 3, 23, 26, 35, 45, 56, 74, 83, 92, 104, 108, 113, 132, 144, 151, 169, 179, 196, 204, 213,
    231, 279, 312, 318, 319, 338, 347, 352, 360, 416, 426, 467, 521, 533, 548, 585, 591, 606, 683,
    703, 719, 762, 766, 802, 805, 830, 945, 959, 980, 989, 995, 997, 1013, 1028, 1054, 1058, 1083,
    1112, 1117, 1124, 1174, 1187, 1227, 1233, 1257, 1293, 1341, 1379, 1403, 1413, 1457, 1474, 1483,
    1484, 1507, 1531, 1535, 1573, 1580, 1586, 1666, 1694, 1766, 1771, 1790, 1811, 1822, 1852, 1861,
    1884, 1886, 1910, 1922, 1934, 1939, 1947, 1950, 1990, 1993,
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
