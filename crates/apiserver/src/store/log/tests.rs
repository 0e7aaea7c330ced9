//! What a crash, a full disk and damage leave: the folder is cut, copied and bent at every byte.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use tempfile::TempDir;

use super::disk::{Disk, Segment};
use super::*;
use crate::store::tests::{delete, force, object, pods, put};
use crate::store::{Change, Durability, History, Resource, Scope, Store};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");
    runtime.block_on(future)
}

fn durability(path: &Path, snapshot_after: u64) -> Durability {
    Durability::Folder {
        path: path.to_owned(),
        sync: Sync::Never,
        snapshot_after,
    }
}

fn open(path: &Path) -> Result<Store, OpenError> {
    open_as(&durability(path, u64::MAX))
}

/// Opens a store. A process that another test is about to start holds all files of this one until it runs.
pub(in crate::store) fn open_as(durability: &Durability) -> Result<Store, OpenError> {
    let mut patience = 200;
    loop {
        match Store::open(durability, History::default()) {
            Err(OpenError::InUse(_)) if patience > 0 => patience -= 1,
            opened => return opened,
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn commit(store: &Store, change: Change) -> u64 {
    let record = block_on(force(store, change)).expect("the change can be made");
    record.modified()
}

/// Each object with its creation and its text.
type Told = Vec<(String, u64, String)>;

/// All that a store tells of its objects.
fn dump(store: &Store) -> Told {
    let mut objects = Vec::new();
    for (resource, _) in store.counts("") {
        let snapshot = store.snapshot(&resource);
        for record in snapshot.iter(&Scope::all()) {
            let name = format!("{} {}", resource.as_str(), record.key().path());
            let text = String::from_utf8(record.json().to_vec()).expect("the text is right");
            // What is extracted when a log is read is what was extracted before.
            let metadata = record.value()["metadata"]
                .as_object()
                .expect("the folder can be read")
                .clone();
            assert_eq!(*record.meta(), crate::store::record::Meta::of(&metadata));
            assert_eq!(
                record.metadata_json(),
                record.value()["metadata"].to_string()
            );
            objects.push((name, record.created(), text));
        }
    }
    objects.sort();
    objects
}

/// Makes a change and says what the store tells after it.
fn story(store: &Store) -> Vec<(u64, Told)> {
    let sets = Resource::new("apps", "replicasets");
    let mut told = vec![(store.revision(), dump(store))];
    for change in [
        put(&pods(), &object("shop", "a", 1)),
        put(&sets, &object("shop", "b", 2)),
        put(&pods(), &object("shop", "a", 3)),
        put(
            &pods(),
            &json!({"metadata": {"name": "ü", "ownerReferences": [{"uid": "u"}], "finalizers": ["x"]}}),
        ),
        delete(&pods(), "shop", "a"),
        put(&pods(), &object("shop", "a", 4)),
    ] {
        commit(store, change);
        told.push((store.revision(), dump(store)));
    }
    told
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// Where lines end.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).collect()
}

/// A folder with a log, which may be bent.
fn with_log(log: &[u8]) -> TempDir {
    let folder = TempDir::new().expect("there is room for a folder");
    fs::write(log_of(folder.path()), log).expect("the folder can be written to");
    folder
}

#[test]
fn what_was_told_before_is_told_after() {
    let folder = TempDir::new().expect("there is room for a folder");
    let store = open(folder.path()).expect("the folder can be opened");
    let told = story(&store);
    drop(store);
    let store = open(folder.path()).expect("the folder can be opened");
    assert_eq!(told.last(), Some(&(store.revision(), dump(&store))));
    // The history is there too.
    for (revision, objects) in &told {
        let pods = store
            .snapshot_at(&pods(), *revision)
            .expect("the history reaches there");
        let count = objects
            .iter()
            .filter(|(name, ..)| name.starts_with("pods "));
        assert_eq!(pods.iter(&Scope::all()).count(), count.count());
    }
    let mut watcher = store
        .watch(&pods(), Scope::all(), 0)
        .expect("the history reaches there");
    let mut events = Vec::new();
    watcher
        .try_next(100, &mut events)
        .expect("nothing was missed");
    let revisions: Vec<_> = events.iter().map(|event| event.revision()).collect();
    assert_eq!(revisions, [1, 3, 4, 5, 6]);
    assert_eq!(commit(&store, put(&pods(), &object("shop", "z", 0))), 7);
}

#[test]
fn a_log_that_ends_anywhere_tells_what_was_written_up_to_there() {
    let folder = TempDir::new().expect("there is room for a folder");
    let store = open(folder.path()).expect("the folder can be opened");
    let told = story(&store);
    drop(store);
    let bytes = fs::read(log_of(folder.path())).expect("the folder can be read");
    let ends = ends(&bytes);
    let start = ends[0];
    assert_eq!(ends.len(), told.len());
    for cut in 0..=bytes.len() {
        let copy = with_log(&bytes[..cut]);
        let opened = open(copy.path());
        if cut < start {
            // A file has its start before it has its name.
            assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{cut}");
            continue;
        }
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let store = opened.expect("the folder can be opened");
        assert_eq!(told[whole - 1], (store.revision(), dump(&store)), "{cut}");
        // What follows is written where the torn end was.
        let revision = commit(&store, put(&pods(), &object("shop", "z", 0)));
        let dumped = dump(&store);
        drop(store);
        let store = open(copy.path()).expect("the folder can be opened");
        assert_eq!(
            (store.revision(), dump(&store)),
            (revision, dumped),
            "{cut}"
        );
    }
}

#[test]
fn damage_is_named_and_nothing_behind_it_is_used() {
    let folder = TempDir::new().expect("there is room for a folder");
    let store = open(folder.path()).expect("the folder can be opened");
    let told = story(&store);
    drop(store);
    let bytes = fs::read(log_of(folder.path())).expect("the folder can be read");
    let starts: Vec<usize> = [0].into_iter().chain(ends(&bytes)).collect();
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 0x10;
        let copy = with_log(&bent);
        let start = starts
            .iter()
            .rfind(|start| **start <= at)
            .expect("it is there");
        match open(copy.path()) {
            Err(OpenError::Damaged { file, offset, .. }) => {
                assert_eq!(file, log_of(copy.path()));
                assert_eq!(offset, *start as u64, "{at}");
            }
            Err(other) => panic!("{other}"),
            // A last line without an end was on its way.
            Ok(store) => {
                assert_eq!(at + 1, bytes.len());
                assert_eq!(told[told.len() - 2], (store.revision(), dump(&store)));
            }
        }
    }
}

#[test]
fn a_missing_change_is_noticed() {
    let folder = TempDir::new().expect("there is room for a folder");
    let store = open(folder.path()).expect("the folder can be opened");
    story(&store);
    drop(store);
    let mut bytes = fs::read(log_of(folder.path())).expect("the folder can be read");
    let ends = ends(&bytes);
    bytes.drain(ends[1]..ends[2]);
    let refused = open(with_log(&bytes).path()).expect_err("it is refused");
    let refused = refused.to_string();
    assert!(refused.contains("a revision is missing"), "{refused}");
}

#[test]
fn a_log_that_is_begun_anew_tells_the_same() {
    let folder = TempDir::new().expect("there is room for a folder");
    let durability = durability(folder.path(), 20_000);
    let mut wanted = Vec::new();
    for round in 0..4 {
        let store = open_as(&durability).expect("the folder can be opened");
        if round > 0 {
            assert_eq!(dump(&store), wanted);
        }
        for mark in 0..300 {
            let name = format!("o{}", mark % 70);
            commit(&store, put(&pods(), &object("shop", &name, mark)));
            if mark % 5 == 0 {
                commit(&store, delete(&pods(), "shop", &name));
            }
        }
        wanted = dump(&store);
    }
    let size = fs::metadata(log_of(folder.path())).expect("the folder can be read");
    assert!(size.len() < 60_000, "{}", size.len());
}

#[test]
fn what_is_stored_is_for_its_owner_alone_even_where_it_was_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().expect("there is room for a folder");
    let path = folder.path().join("clusters").join("blue");
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    let rights = || {
        ["", "lock", "log"].map(|name| {
            let found = fs::metadata(path.join(name)).expect("it is there");
            found.permissions().mode() & 0o777
        })
    };
    drop(open(&path).expect("it can be opened"));
    assert_eq!(rights(), [0o700, 0o600, 0o600]);
    set(&path, 0o755).expect("it is ours");
    set(&path.join("log"), 0o644).expect("it is ours");
    drop(open(&path).expect("it can be opened"));
    assert_eq!(rights(), [0o700, 0o600, 0o600]);
}

#[test]
fn a_folder_is_for_one_store_and_one_format() {
    let folder = TempDir::new().expect("there is room for a folder");
    let store = open(folder.path()).expect("the folder can be opened");
    let refused = open(folder.path()).expect_err("it is refused");
    assert!(matches!(refused, OpenError::InUse(_)));
    drop(store);
    drop(open(folder.path()).expect("the folder can be opened"));
    for strange in [&b"one"[..], b"", b"\xff\n"] {
        let strange = with_log(strange);
        let refused = open(strange.path()).expect_err("it is refused");
        assert!(matches!(refused, OpenError::Damaged { offset: 0, .. }));
    }
    let mut head = Vec::new();
    line::head(&mut head, 7, 0);
    let head = String::from_utf8(head).expect("it is text");
    let newer = head[9..head.len() - 1].replace("shipway 1", "shipway 2");
    let newer = format!("{:08x} {newer}\n", crc32fast::hash(newer.as_bytes()));
    let newer = with_log(newer.as_bytes());
    let refused = open(newer.path()).expect_err("it is refused");
    assert!(matches!(&refused, OpenError::Newer(path) if path == newer.path()));
    fs::write(folder.path().join("format"), "1").expect("the folder can be written to");
    let refused = open(folder.path()).expect_err("it is refused");
    assert!(matches!(refused, OpenError::Foreign(_)));
    let file = folder.path().join("lock");
    assert!(matches!(open(&file), Err(OpenError::Io { .. })));
}

/// A disk that has room for some bytes, and may fail otherwise.
struct Full {
    file: fs::File,
    room: Arc<AtomicU64>,
    cut_fails: Arc<AtomicBool>,
    sync_fails: Arc<AtomicBool>,
}

fn no_space() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left")
}

impl Disk for Full {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.room.load(Ordering::Relaxed);
        let fits = usize::try_from(room)
            .expect("the number is small")
            .min(bytes.len());
        self.room.store(room - fits as u64, Ordering::Relaxed);
        self.file.append(&bytes[..fits])?;
        if fits < bytes.len() {
            return Err(no_space());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.sync_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("input/output error"));
        }
        self.file.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.cut_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("input/output error"));
        }
        self.file.cut(length)
    }
}

/// A store on a disk that fails when told to.
struct Failing {
    folder: TempDir,
    store: Store,
    room: Arc<AtomicU64>,
    cut_fails: Arc<AtomicBool>,
    sync_fails: Arc<AtomicBool>,
}

impl Failing {
    fn new() -> Self {
        Self::beginning_anew(u64::MAX, fs::File::sync_all)
    }

    /// A store whose log is begun anew after so many bytes, in a folder that is synced like this.
    fn beginning_anew(after: u64, sync: fn(&fs::File) -> io::Result<()>) -> Self {
        let folder = TempDir::new().expect("there is room for a folder");
        let opened =
            folder::open(folder.path(), History::default()).expect("the folder can be opened");
        let file = fs::OpenOptions::new()
            .append(true)
            .open(log_of(folder.path()))
            .expect("the folder can be read");
        let (room, cut_fails, sync_fails) = (
            Arc::new(AtomicU64::new(1 << 30)),
            Arc::default(),
            Arc::default(),
        );
        let disk = Full {
            file,
            room: Arc::clone(&room),
            cut_fails: Arc::clone(&cut_fails),
            sync_fails: Arc::clone(&sync_fails),
        };
        let segment = Segment::new(Box::new(disk), opened.segment.length());
        let state = Arc::new(RwLock::new(opened.state));
        let writer = Writer::new(
            opened.folder.synced_by(sync),
            segment,
            Arc::clone(&state),
            Sync::Always,
            after,
            History::default(),
        );
        let inner = crate::store::Inner {
            state,
            history: History::default(),
            log: Some(Log::start(writer).expect("a thread starts")),
        };
        Self {
            folder,
            store: Store {
                inner: Arc::new(inner),
            },
            room,
            cut_fails,
            sync_fails,
        }
    }

    fn try_put(&self, mark: u64) -> Result<u64, String> {
        let change = put(&pods(), &object("shop", "a", mark));
        match block_on(force(&self.store, change)) {
            Ok(record) => Ok(record.modified()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Opens the folder anew.
    fn reopened(self) -> Store {
        drop(self.store);
        open(self.folder.path()).expect("the folder can be opened")
    }
}

#[test]
fn a_full_disk_is_an_error_to_the_writer_and_loses_nothing() {
    // Full in the middle of the frame, wherever that is.
    for room in (0..120).step_by(9) {
        let failing = Failing::new();
        assert_eq!(failing.try_put(1), Ok(1));
        failing.room.store(room, Ordering::Relaxed);
        let refused = failing.try_put(2).expect_err("it is refused");
        assert!(refused.contains("no space left"), "{refused}");
        assert_eq!(failing.store.revision(), 1);
        // Room again: the revision was not used up.
        failing.room.store(1 << 30, Ordering::Relaxed);
        assert_eq!(failing.try_put(3), Ok(2));
        let wanted = dump(&failing.store);
        let store = failing.reopened();
        assert_eq!((store.revision(), dump(&store)), (2, wanted));
    }
}

#[test]
fn a_disk_that_cannot_take_back_a_torn_frame_gets_no_further_ones() {
    let failing = Failing::new();
    assert_eq!(failing.try_put(1), Ok(1));
    failing.room.store(50, Ordering::Relaxed);
    failing.cut_fails.store(true, Ordering::Relaxed);
    failing.try_put(2).expect_err("it is refused");
    failing.room.store(1 << 30, Ordering::Relaxed);
    let refused = failing.try_put(3).expect_err("it is refused");
    assert!(
        refused.contains("until the store is opened anew"),
        "{refused}"
    );
    assert_eq!(failing.store.revision(), 1);
    assert_eq!(failing.reopened().revision(), 1);
}

#[test]
fn a_sync_that_failed_is_not_tried_again() {
    let failing = Failing::new();
    assert_eq!(failing.try_put(1), Ok(1));
    failing.sync_fails.store(true, Ordering::Relaxed);
    failing.try_put(2).expect_err("it is refused");
    failing.sync_fails.store(false, Ordering::Relaxed);
    assert!(failing.try_put(3).is_err());
    // Nobody saw what was not acknowledged.
    assert_eq!(failing.store.revision(), 1);
    assert_eq!(failing.reopened().revision(), 1);
}

#[test]
fn a_log_that_cannot_be_begun_anew_goes_on() {
    let failing = Failing::beginning_anew(1, fs::File::sync_all);
    fs::create_dir(failing.folder.path().join("log.draft")).expect("the folder can be written to");
    for mark in 1..5 {
        assert_eq!(failing.try_put(mark), Ok(mark));
    }
    let wanted = dump(&failing.store);
    fs::remove_dir(failing.folder.path().join("log.draft")).expect("it is there");
    let store = failing.reopened();
    assert_eq!((store.revision(), dump(&store)), (4, wanted));
}

#[test]
fn a_new_log_whose_name_may_not_last_gets_no_changes() {
    let failing = Failing::beginning_anew(1, |_| Err(io::Error::other("input/output error")));
    // It is begun anew behind this one, in a file that has it.
    assert_eq!(failing.try_put(1), Ok(1));
    let refused = failing.try_put(2).expect_err("it is refused");
    assert!(
        refused.contains("until the store is opened anew"),
        "{refused}"
    );
    let wanted = dump(&failing.store);
    let store = failing.reopened();
    assert_eq!((store.revision(), dump(&store)), (1, wanted));
}

#[test]
fn many_writers_share_a_sync_and_each_gets_its_own_answer() {
    let folder = TempDir::new().expect("there is room for a folder");
    let durability = Durability::Folder {
        path: folder.path().to_owned(),
        sync: Sync::Always,
        snapshot_after: u64::MAX,
    };
    let store = open_as(&durability).expect("the folder can be opened");
    let answers = block_on(async {
        // All of them want to be the first.
        let writers = (0..64).map(|mark| {
            let change = put(&pods(), &object("shop", "a", mark));
            store.commit(Expect::Absent, change)
        });
        futures_of(writers.collect()).await
    });
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1);
    for answer in answers {
        if let Err(error) = answer {
            // What made it stale can be read by then.
            assert!(matches!(error, CommitError::Stale(Some(record)) if record.modified() == 1));
        }
    }
    let log = fs::read(log_of(folder.path())).expect("the folder can be read");
    assert_eq!(ends(&log).len(), 2);
}

/// Waits for all of some futures, started together.
async fn futures_of<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// An object with a field that is so deep; it is two levels above that.
fn deep(levels: usize) -> serde_json::Value {
    let mut value = json!(1);
    for _ in 0..levels {
        value = json!({"a": value});
    }
    json!({"metadata": {"name": "deep"}, "spec": value})
}

#[test]
fn an_empty_log_is_named_as_such() {
    let folder = with_log(b"");
    let refused = open(folder.path()).expect_err("nothing is in it");
    let name = log_of(folder.path());
    assert_eq!(
        refused.to_string(),
        format!("`{}` is damaged at byte 0: it is empty", name.display())
    );
}

#[test]
fn what_is_acknowledged_can_be_read_again_however_deep() {
    const DEEPEST: usize = crate::store::MAX_OBJECT_DEPTH - 1;
    let resource = pods();
    let refused = crate::store::Draft::new(&resource, &deep(DEEPEST + 1));
    assert!(
        matches!(refused, Err(crate::store::DraftError::TooDeep(_))),
        "{refused:?}"
    );
    // Far deeper, no stack is used up by looking.
    let list = (0..100_000).fold(json!(1), |value, _| serde_json::Value::Array(vec![value]));
    let mut object = deep(0);
    object["spec"] = list;
    assert!(crate::store::Draft::new(&resource, &object).is_err());
    std::mem::forget(object); // its own destructor recurses
    // As a change, and in the state that a log begins with.
    for snapshot_after in [u64::MAX, 0] {
        let folder = TempDir::new().expect("there is room for a folder");
        let open = || {
            Store::open(
                &durability(folder.path(), snapshot_after),
                History::default(),
            )
        };
        let store = open().expect("the folder can be opened");
        commit(&store, put(&resource, &deep(DEEPEST)));
        commit(&store, put(&resource, &object_beside()));
        let told = dump(&store);
        drop(store);
        let store = open().expect("the folder can be opened again");
        assert_eq!(dump(&store), told);
        assert_eq!(told.len(), 2);
    }
}

fn object_beside() -> serde_json::Value {
    object("shop", "beside", 1)
}
